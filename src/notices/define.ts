// The family of notice channels: a message goes in, what became of it comes out. The sender in workers/dispatcher decides
// what follows; a channel never retries by itself, or the ledger would not know how often a message went out.
export interface NoticeMessage {
  /** Id of the notice row: the same on every retry, and part of the Message-ID. */
  id: string;
  recipient: { name: string; address: string };
  subject: string;
  text: string;
  html: string;
}

/**
 * later: try again, nothing was delivered. refused: no retry can help. ambiguous: the link was lost when the message may have
 * been taken.
 */
export type Delivery =
  | { type: 'sent' }
  | { type: 'later'; error: string }
  /** addressIsGone: the mailbox itself was refused, whatever would be sent to it. */
  | { type: 'refused'; error: string; addressIsGone?: boolean }
  | { type: 'ambiguous'; error: string };

export interface NoticeChannel {
  send(message: NoticeMessage): Promise<Delivery>;
  close(): void;
}
