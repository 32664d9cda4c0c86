// Keeps what the list shows now under a name, and deletes own filters.
import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { ownClient } from '../../api/ownClient';
import { keys } from '../../api/queryKeys';
import type { SavedFilter } from '../../api/types';
import { useMe } from '../../session/useMe';
import { ErrorNote } from '../../shell/ErrorNote';
import { useToast } from '../../shell/ToastProvider';
import type { JobFilters } from './jobFilters';
import { storedFilterOf } from './savedFilterLink';

interface Props {
  filters: JobFilters;
  saved: SavedFilter[];
  onClose(): void;
}

const MAX_NAME = 30;

export function SavedFiltersDialog({ filters, saved, onClose }: Props) {
  const cache = useQueryClient();
  const toast = useToast();
  const [name, setName] = useState('');
  const stored = storedFilterOf(filters, useMe().timeZone);
  const onSuccess = () => cache.invalidateQueries({ queryKey: keys.savedFilters });
  const save = useMutation({
    mutationFn: () => ownClient.saveFilter(name.trim(), stored),
    onSuccess: async () => {
      await onSuccess();
      toast('good', `“${name.trim()}” was saved.`);
      onClose();
    },
  });
  const remove = useMutation({ mutationFn: (id: string) => ownClient.deleteFilter(id), onSuccess });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') save.mutate();
  };
  const own = saved.filter((filter) => filter.isOwn);
  return (
    <Modal opened onClose={onClose} title="Saved filters" centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        <form onSubmit={submit}>
          <Group align="flex-end" gap="xs" wrap="nowrap">
            <TextInput
              flex={1}
              label="Save what the list shows now as"
              value={name}
              maxLength={MAX_NAME}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>
              Save
            </Button>
          </Group>
          <Text size="xs" c="dimmed" mt={6} component="div">
            {Object.entries(stored)
              .filter(([part]) => part !== 'timeZone')
              .map(([part, value]) => (
                <Code key={part} mr={4}>
                  {part}: {value}
                </Code>
              ))}
          </Text>
        </form>
        {save.isError && <ErrorNote error={save.error} />}
        {own.length > 0 && (
          <Stack gap={4} component="section" aria-label="Own filters">
            {own.map((filter) => (
              <Group key={filter.id} justify="space-between" wrap="nowrap">
                <Text size="sm" truncate>
                  {filter.name}
                  {filter.shared && ' (shared)'}
                </Text>
                <Button
                  size="compact-xs"
                  variant="default"
                  leftSection={<IconTrash size={13} aria-hidden />}
                  aria-label={`Delete ${filter.name}`}
                  loading={remove.isPending && remove.variables === filter.id}
                  onClick={() => remove.mutate(filter.id)}
                >
                  Delete
                </Button>
              </Group>
            ))}
          </Stack>
        )}
        {remove.isError && <ErrorNote error={remove.error} />}
      </Stack>
    </Modal>
  );
}
