// Collects what is wrong with an upload, so that the sender learns of the first hundred faults at once.
// A fault refuses the whole upload; rows that only break the row schema are no faults of the upload.
import { GantryError } from '../../lib/errors';

export interface UploadFault {
  /** Counted from 0 over the rows; null for the header line. */
  rowIndex: number | null;
  /** Counted from 1, of the file as sent. */
  line: number;
  /** Counted from 1: the CSV column, or the character of an NDJSON line. */
  column: number;
  message: string;
}

const MAX_FAULTS = 100;

export interface UploadFaults {
  readonly found: number;
  /** @throws GantryError bad_upload when this is the hundredth. */
  add(fault: UploadFault): void;
  /** @throws GantryError bad_upload when there are any. */
  throwIfAny(): void;
}

export function createUploadFaults(): UploadFaults {
  const faults: UploadFault[] = [];
  const refusal = (): GantryError => {
    const [first] = faults;
    const where = first ? `line ${first.line}, column ${first.column}: ${first.message}` : '';
    return new GantryError(
      'bad_upload',
      `The upload was refused and nothing of it was kept (${where}). Mend the faults named below and send it again.`,
      { more: { faults, ...first } },
    );
  };
  return {
    get found() {
      return faults.length;
    },
    add: (fault) => {
      faults.push(fault);
      if (faults.length >= MAX_FAULTS) throw refusal();
    },
    throwIfAny: () => {
      if (faults.length > 0) throw refusal();
    },
  };
}
