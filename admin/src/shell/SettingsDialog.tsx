// Own settings: which mails one gets about own jobs, and the language of mails, dates and numbers.
import { Button, Group, Modal, Radio, Select, Stack, Switch } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { isStatus } from '../api/errorText';
import { ownClient } from '../api/ownClient';
import { keys } from '../api/queryKeys';
import type { Me } from '../api/types';
import { useMe } from '../session/useMe';
import { ErrorNote } from './ErrorNote';
import { useToast } from './ToastProvider';

type Preference = Me['noticePreference'];
type Language = 'en' | 'fr' | 'ko';

const PREFERENCES: Record<Preference, { label: string; hint: string }> = {
  always: { label: 'Each job', hint: 'A mail when a job ends for which a mail was asked.' },
  failures: { label: 'Only failures', hint: 'Nothing about jobs that ended well.' },
  digest: { label: 'Digest', hint: 'Many ends gathered into one mail.' },
  never: { label: 'Never', hint: 'No mail about the end of jobs.' },
};
const LANGUAGES: { value: Language; label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'fr', label: 'Français' },
  { value: 'ko', label: '한국어' },
];

export function SettingsDialog({ onClose }: { onClose(): void }) {
  const me = useMe();
  const cache = useQueryClient();
  const toast = useToast();
  const [noticePreference, setPreference] = useState(me.noticePreference);
  const [language, setLanguage] = useState(me.language);
  const [alerts, setAlerts] = useState(me.alerts);
  const save = useMutation({
    mutationFn: () =>
      ownClient.changeMe(
        {
          noticePreference,
          ...(language === me.language ? {} : { language: language as Language }),
          ...(alerts === me.alerts ? {} : { alerts }),
        },
        me.version,
      ),
    onSuccess: (answer) => {
      cache.setQueryData(keys.me, answer);
      toast('good', 'Your settings were saved.');
      onClose();
    },
    // Read again, so that the next try is held against what is stored now.
    onError: (error) => isStatus(error, 412) && void cache.invalidateQueries({ queryKey: keys.me }),
  });
  return (
    <Modal opened onClose={onClose} title="Settings" centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        <Radio.Group
          label="Mails about my jobs"
          value={noticePreference}
          onChange={(value) => setPreference(value as Preference)}
        >
          <Stack gap="xs" mt={6}>
            {Object.entries(PREFERENCES).map(([value, { label, hint }]) => (
              <Radio key={value} value={value} label={label} description={hint} />
            ))}
          </Stack>
        </Radio.Group>
        {me.role === 'superadmin' && (
          <Switch
            label="Mails when something is wrong with the installation"
            checked={alerts}
            onChange={(event) => setAlerts(event.currentTarget.checked)}
          />
        )}
        <Select
          label="Language of mails, dates and numbers"
          description="The words of these pages stay English."
          data={LANGUAGES}
          value={language}
          onChange={(value) => value !== null && setLanguage(value)}
          allowDeselect={false}
        />
        {save.isError && <ErrorNote error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button loading={save.isPending} onClick={() => save.mutate()}>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
