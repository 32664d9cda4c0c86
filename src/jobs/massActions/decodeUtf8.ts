// Bytes to text, chunk by chunk, with a memory of whether any byte was no UTF-8. A byte order mark is left out.
// Readers name the place: from the first bad byte on, U+FFFD in a row stands for bytes that could not be read.

export const REPLACEMENT = '\uFFFD';
export const NOT_UTF8 = 'is not UTF-8 text. Save the file as UTF-8 and send it again';

export interface Utf8Decoder {
  /** True once a byte was met that is no UTF-8. */
  readonly sawBadBytes: boolean;
  write(bytes: Uint8Array): string;
  end(): string;
}

export function createUtf8Decoder(): Utf8Decoder {
  const loose = new TextDecoder('utf-8');
  const strict = new TextDecoder('utf-8', { fatal: true });
  let bad = false;
  const check = (decode: () => void): void => {
    if (bad) return;
    try {
      decode();
    } catch {
      bad = true;
    }
  };
  return {
    get sawBadBytes() {
      return bad;
    },
    write: (bytes) => {
      check(() => strict.decode(bytes, { stream: true }));
      return loose.decode(bytes, { stream: true });
    },
    end: () => {
      check(() => strict.decode());
      return loose.decode();
    },
  };
}
