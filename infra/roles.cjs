/** The roles of `serverless.yml`, from the table of rights. In CommonJS: the CLI loads no other module. */
module.exports = { Resources: require('./grants.ts').roles() };
