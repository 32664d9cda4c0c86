// The text search: goes into the address a moment after the last key, at once with Enter.
import { CloseButton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';

const SETTLE_MS = 350;

interface Props {
  value: string;
  onChange(value: string): void;
}

export function SearchField({ value, onChange }: Props) {
  const [text, setText] = useState(value);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => latest.current(text), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <TextInput
      size="xs"
      w={215}
      aria-label="Search name, type, id or e-mail of the author"
      placeholder="Search name, type, id, author"
      title="Use * for any characters and ? for one"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && onChange(text)}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        text !== '' ? <CloseButton size="xs" aria-label="Clear search" onClick={() => onChange('')} /> : null
      }
    />
  );
}
