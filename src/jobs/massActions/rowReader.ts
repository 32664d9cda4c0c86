// What the readers of the upload formats have in common: text goes in, one stored line per row comes out.

/** Takes one row as it is stored: a line without line ends. */
export type RowSink = (line: string) => void;

export interface RowReader {
  /** @throws GantryError bad_upload when reading on makes no sense. */
  write(text: string): Promise<void>;
  end(): Promise<void>;
  /** Frees what the reader holds; harmless after end. */
  close(): void;
  /** The CSV header, null for other formats. */
  columns(): string[] | null;
}
