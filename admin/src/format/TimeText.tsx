// A point in time, short, with the whole of it as title.
import { useFormats } from './useFormats';

export function TimeText({ at, full = false }: { at: string | null | undefined; full?: boolean }) {
  const formats = useFormats();
  if (!at) return <span aria-label="none">–</span>;
  return (
    <time dateTime={at} title={formats.fullTime(at)}>
      {full ? formats.fullTime(at) : formats.time(at)}
    </time>
  );
}
