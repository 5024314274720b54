export { outboundProviders } from '#functions/sender/registry.ts';
