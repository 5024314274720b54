import type { OutboundAccount, ProviderRequest } from '#lib/app/sending/outbound.ts';
import type { Attachment, Outgoing } from '#lib/app/sending/ports.ts';
import { toPhone } from '#lib/domain/phone.ts';
import { type Recipient, recipientOf, whatsappChatOf } from '#lib/domain/sending/recipient.ts';
import { apiUrl, authorization, type Workspace } from './outbound-workspace.ts';

type What = { readonly text: string } | { readonly file_uid: string };

/** The call that sends something to this recipient; undefined where TimelinesAI has none for it. */
export function messageRequest(
  account: OutboundAccount,
  workspace: Workspace,
  kept: Outgoing['recipient'],
): ((what: What) => ProviderRequest) | undefined {
  const recipient = recipientOf(kept);
  const way = recipient && wayTo(recipient);
  if (!way) return undefined;
  // A chat belongs to one number already; for the rest, a workspace has several.
  const from = way.hasAccount || account.phone === undefined ? {} : { whatsapp_account_phone: account.phone };
  return (what) => ({
    method: 'POST',
    url: apiUrl(workspace, way.path),
    headers: authorization(workspace),
    body: { kind: 'json', value: { ...way.to, ...from, ...what } },
  });
}

interface Way {
  readonly path: string;
  readonly to: object;
  readonly hasAccount?: true;
}

function wayTo(recipient: Recipient): Way | undefined {
  switch (recipient.kind) {
    case 'phone':
      return { path: 'messages', to: { phone: recipient.phone } };
    case 'chat_name':
      return { path: 'messages/to_chat_name', to: { chat_name: recipient.name } };
    case 'jid':
      return whatsappChatOf(recipient) === undefined
        ? undefined
        : { path: 'messages/to_jid', to: { jid: recipient.jid } };
    case 'chat_id':
      return wayToChat(recipient.id);
  }
}

/** Events that do not tell the chat's number name it by its JID or phone. */
function wayToChat(id: string): Way | undefined {
  if (/^\d{1,20}$/.test(id)) return { path: `chats/${id}/messages`, to: {}, hasAccount: true };
  const phone = toPhone(id);
  if (phone !== undefined) return { path: 'messages', to: { phone } };
  return id.includes('@') ? { path: 'messages/to_jid', to: { jid: id } } : undefined;
}

export function uploadRequest(workspace: Workspace, { name, mimeType, bytes }: Attachment): ProviderRequest {
  return {
    method: 'POST',
    url: apiUrl(workspace, 'files_upload'),
    headers: authorization(workspace),
    body: {
      kind: 'multipart',
      fields: { filename: name, content_type: mimeType },
      file: { field: 'file', name, mimeType, bytes },
    },
  };
}
