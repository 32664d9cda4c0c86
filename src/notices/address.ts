// What counts as one plain e-mail address. Used where addresses come in (jobs/commands/checkRecipient.ts) and where they go out
// (channels/email.ts): what passes goes into a mail header and names one mailbox, never a list, a group or a quoted local part.
const ADDRESS = /^[^\s@<>,;:"()[\]\\\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,64}@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+$/;
const MAX_ADDRESS = 320;

export function isPlainAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS && ADDRESS.test(text);
}
