/** The rows of `dashboard.yml` that there is one of for each provider, as text. */
const { providerNames } = require('./grants.ts');

const row = (name) =>
  `["AWS/Lambda", "Invocations", "FunctionName", "\${self:service}-\${sls:stage}-${name}", { "label": "${name}" }]`;

module.exports = { webhooks: providerNames().map(row).join(', ') };
