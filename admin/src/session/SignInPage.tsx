// E-mail and password. Says nothing about which of the two was wrong; the server does not either.
import { Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, type FormEvent } from 'react';
import { client } from '../api/client';
import { isStatus } from '../api/errorText';
import { keys } from '../api/queryKeys';
import { Brand } from '../shell/Brand';
import { ErrorNote } from '../shell/ErrorNote';
import { usePageTitle } from '../shell/usePageTitle';
import { ProviderSignIn } from './ProviderSignIn';

export function SignInPage() {
  const cache = useQueryClient();
  usePageTitle('Sign in');
  const signIn = useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) => client.signIn(email, password),
    onSuccess: () => cache.resetQueries({ queryKey: keys.me }),
  });
  // Whatever an earlier person saw is none of the next one's business.
  useEffect(() => {
    cache.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
  }, [cache]);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({ email: String(form.get('email')).trim(), password: String(form.get('password')) });
  };

  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w={380} maw="100%">
        <form onSubmit={submit}>
          <Stack gap="md">
            <Brand />
            <Title order={1} size="h3">
              Sign in
            </Title>
            <TextInput name="email" type="email" label="E-mail" autoComplete="username" required autoFocus />
            <PasswordInput name="password" label="Password" autoComplete="current-password" required />
            {signIn.isError &&
              (isStatus(signIn.error, 401) ? (
                <Text role="alert" size="sm" c="var(--mantine-color-error)">
                  E-mail or password is not right. Check both and try again.
                </Text>
              ) : (
                <ErrorNote error={signIn.error} />
              ))}
            <Button type="submit" loading={signIn.isPending} fullWidth>
              Sign in
            </Button>
            <ProviderSignIn />
            <Text size="xs" c="dimmed">
              No account? A superadmin of this installation can make one.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
