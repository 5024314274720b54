/** The functions of `serverless.yml`: each folder that has a `function.yml`. In CommonJS: the CLI loads no other module. */
const { functionNames } = require('./grants.ts');

module.exports = Object.fromEntries(functionNames().map((name) => [name, `\${file(functions/${name}/function.yml)}`]));
