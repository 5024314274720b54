/** The chat in whose history a message stands. */
export interface Thread {
  /** The hub's id. */
  readonly chat: string;
  readonly providerChatId: string;
}

/** As a send keeps it, beside whom the message is for. */
export const keptThread = ({ chat, providerChatId }: Thread): Record<string, string> => ({
  chat,
  provider_chat: providerChatId,
});

/** Undefined for a send whose chat nobody has made out. */
export function threadIn(recipient: Readonly<Record<string, string>>): Thread | undefined {
  const { chat, provider_chat: providerChatId } = recipient;
  return chat === undefined || providerChatId === undefined ? undefined : { chat, providerChatId };
}
