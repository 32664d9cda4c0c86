// The file of rows: dropped or chosen. Only its name is judged here; the server reads it.
import { Button, Code, FileButton, Group, Input, Text } from '@mantine/core';
import { IconFileUpload, IconX } from '@tabler/icons-react';
import { useState, type DragEvent } from 'react';
import { rowsTypeOf } from '../../api/uploadJob';
import type { JsonSchema } from '../../api/types';
import { formatBytes } from '../../format/formatDuration';
import classes from './RowsInput.module.css';

interface Props {
  file: File | null;
  rowSchema: JsonSchema | null;
  fault: string | undefined;
  onFile(file: File | null): void;
}

const ACCEPTED = '.csv,.ndjson,.jsonl,text/csv,application/x-ndjson';

export function RowsInput({ file, rowSchema, fault, onFile }: Props) {
  const [isOver, setOver] = useState(false);
  const [ownFault, setFault] = useState<string | null>(null);
  const columns = Object.keys(rowSchema?.properties ?? {});
  const take = (chosen: File | null | undefined) => {
    if (!chosen) return;
    const isKnown = rowsTypeOf(chosen.name) !== null;
    setFault(isKnown ? null : `“${chosen.name}” is neither .csv nor .ndjson.`);
    if (isKnown) onFile(chosen);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <Input.Wrapper label="Rows" required error={ownFault ?? fault} labelElement="div">
      <div
        className={classes.zone}
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Group justify="space-between" wrap="nowrap">
          <div>
            <Text size="sm">
              {file ? `${file.name}, ${formatBytes(file.size)}` : 'Drop a CSV or NDJSON file here, or choose one.'}
            </Text>
            {columns.length > 0 && (
              <Text size="xs" c="dimmed" component="div">
                Columns:{' '}
                {columns.map((column) => (
                  <Code key={column} mr={4}>
                    {column}
                    {rowSchema?.required?.includes(column) ? '' : '?'}
                  </Code>
                ))}
              </Text>
            )}
          </div>
          <Group gap="xs" wrap="nowrap">
            <FileButton onChange={take} accept={ACCEPTED} inputProps={{ 'aria-label': 'File of rows' }}>
              {(props) => (
                <Button {...props} size="xs" variant="default" leftSection={<IconFileUpload size={14} aria-hidden />}>
                  {file ? 'Another file' : 'Choose file'}
                </Button>
              )}
            </FileButton>
            {file && (
              <Button size="xs" variant="subtle" color="gray" onClick={() => onFile(null)} aria-label="Remove the file">
                <IconX size={14} aria-hidden />
              </Button>
            )}
          </Group>
        </Group>
      </div>
    </Input.Wrapper>
  );
}
