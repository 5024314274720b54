/** Made-up deliveries of the true structure. */
const user = { phone: '15550100001', wa_name: 'Lee' };
const client = { phone: '15550100099', wa_name: 'Ana' };

const noFile = { file_name: null, file_url: null, caption: '', is_error: false, error_code: null, error_message: null };

export const text = {
  chat_id: '15550100099_15550100001@c.us',
  chat_type: 'individual',
  chat_title: 'Ana Ruiz',
  user_phone: '15550100001',
  user_email: 'lee@example.com',
  direction: 'received',
  message: { id: '3EB0AA11BB22CC33DD44', type: 'chat', text: 'good morning', ...noFile },
  timestamp: '1767225600',
  participants: [client, user],
  sender: client,
};

export const groupImage = {
  chat_id: '120363000000000042@g.us',
  chat_type: 'group',
  chat_title: 'Night shift',
  user_phone: '15550100001',
  user_email: 'lee@example.com',
  direction: 'sent',
  message: {
    ...noFile,
    id: '3EB0AA11BB22CC33DD45',
    type: 'image',
    text: 'plan',
    file_name: 'Cooby Image 2026-01-01 at 12.05.09 AM',
    file_url: 'https://api.cooby.co/v2/files/made-up-token',
    caption: 'plan',
  },
  timestamp: '1767225909',
  participants: [user, { phone: '15550100077', wa_name: 'Bo' }, { phone: '15550100088', wa_name: 'Cy' }],
  sender: user,
};

export const tooBig = {
  ...text,
  chat_title: '15550100099',
  message: {
    id: '3EB0AA11BB22CC33DD46',
    type: 'document',
    text: '',
    file_name: 'scan.zip',
    file_url: null,
    caption: '',
    is_error: true,
    error_code: 'file_size_out_of_limit',
    error_message: '[File size out of limit. Max file size supported by Cooby is 15MB.]',
  },
  timestamp: '1767226000',
  participants: [{ phone: '15550100099', wa_name: '' }, user],
  sender: { phone: '15550100099', wa_name: '' },
};

export const voice = {
  ...text,
  message: {
    ...noFile,
    id: '3EB0AA11BB22CC33DD47',
    type: 'audio',
    file_name: 'Cooby Audio 2026-01-01 at 12.10.00 AM',
    file_url: 'https://api.cooby.co/v2/files/made-up-token-2',
  },
  timestamp: '1767226200',
};

export const older = {
  chat_title: 'Ana',
  sender: user,
  participants: [client, user],
  user_phone: '15550100001',
  user_email: 'lee@example.com',
  direction: 'sent',
  message: { type: 'image', text: 'Hi', file_url: 'https://api.cooby.co/v2/files/made-up-token-3' },
  timestamp: '1767226300',
};

/** `text` with other fields in its message. */
export function withMessage(fields: object) {
  return { ...text, message: { ...text.message, ...fields } };
}
