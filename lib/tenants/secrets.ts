/** Where provider credentials and the admin key are kept. Names have no leading slash: `accounts/<id>`, `admin-key`. */
export interface Secrets {
  /**
   * The newest version, or the one that is asked for: a version never changes, so it may be cached for ever. Undefined where
   * nothing has the name; a version that is not there throws, for it may be there in a moment.
   */
  get(name: string, version?: number): Promise<string | undefined>;
  /** The version that it has become. */
  put(name: string, value: string): Promise<number>;
  /** Does nothing where there is none. */
  delete(name: string): Promise<void>;
}

export const ADMIN_KEY = 'admin-key';
export const accountSecret = (accountId: string): string => `accounts/${accountId}`;
