// What went wrong, what to do, and the number to give to whoever helps.
import { Alert, Button, Code, Group, List, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { errorText } from '../api/errorText';

interface Props {
  error: unknown;
  onRetry?: () => void;
}

/** The first faults are enough to see what is wrong with a file. */
const SHOWN_FIELDS = 8;

export function ErrorNote({ error, onRetry }: Props) {
  const { title, text, fields, requestId } = errorText(error);
  return (
    <Alert color="red" variant="light" title={title} icon={<IconAlertTriangle aria-hidden />} role="alert">
      <Text size="sm">{text}</Text>
      {fields.length > 0 && (
        <List size="sm" mt={4}>
          {fields.slice(0, SHOWN_FIELDS).map((field, index) => (
            <List.Item key={index}>
              <Code>{field.path || 'request'}</Code> {field.message}
            </List.Item>
          ))}
          {fields.length > SHOWN_FIELDS && <List.Item>and {fields.length - SHOWN_FIELDS} more</List.Item>}
        </List>
      )}
      {(onRetry || requestId) && (
        <Group gap="sm" mt="xs">
          {onRetry && (
            <Button size="compact-sm" variant="default" onClick={onRetry} leftSection={<IconRefresh size={14} />}>
              Try again
            </Button>
          )}
          {requestId && (
            <Text size="xs" c="dimmed">
              Request <Code>{requestId}</Code>
            </Text>
          )}
        </Group>
      )}
    </Alert>
  );
}
