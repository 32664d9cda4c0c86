// One field of the form that a parameter schema describes.
import { Checkbox, Select, Textarea, TextInput } from '@mantine/core';
import type { Field } from './schemaFields';

interface Props {
  field: Field;
  value: string | boolean;
  fault: string | undefined;
  onChange(value: string | boolean): void;
}

export function SchemaField({ field, value, fault, onChange }: Props) {
  const { label, hint, isRequired, schema } = field;
  const common = { label, description: hint, required: isRequired, error: fault };
  if (field.shape === 'boolean') {
    return (
      <Checkbox
        label={label}
        description={hint}
        error={fault}
        checked={value === true}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  const text = String(value);
  if (field.shape === 'choice') {
    return (
      <Select
        {...common}
        data={field.choices.map(({ value: choice, label: word }) => ({ value: choice, label: word }))}
        value={text === '' ? null : text}
        clearable={!isRequired}
        onChange={(choice) => onChange(choice ?? '')}
      />
    );
  }
  if (field.shape === 'longText' || field.shape === 'json') {
    return (
      <Textarea
        {...common}
        value={text}
        maxLength={schema.maxLength}
        autosize
        minRows={2}
        maxRows={8}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  const isNumber = field.shape === 'number' || field.shape === 'integer';
  return (
    <TextInput
      {...common}
      type={schema.format === 'email' ? 'email' : 'text'}
      inputMode={isNumber ? 'decimal' : undefined}
      value={text}
      maxLength={schema.maxLength}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
