/** Where provider credentials and the admin key are kept. Names have no leading slash: `accounts/<id>`, `admin-key`. */
export interface Secrets {
  get(name: string): Promise<string | undefined>;
  put(name: string, value: string): Promise<void>;
  /** Does nothing where there is none. */
  delete(name: string): Promise<void>;
}

export const ADMIN_KEY = 'admin-key';
export const accountSecret = (accountId: string): string => `accounts/${accountId}`;
