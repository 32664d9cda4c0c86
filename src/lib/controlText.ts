// Text of others on a line of its own: what could end the line, move a terminal's cursor or turn the reading direction is
// written as an escape. Pure.

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export function escapeControls(text: string): string {
  return text.replace(CONTROL, (sign) => {
    if (sign === '\n') return '\\n';
    if (sign === '\r') return '\\r';
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
