import manifest from '../package.json' with { type: 'json' };

/** The release that this bundle was made of. */
export const { version } = manifest;
