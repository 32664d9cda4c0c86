// The way to sign in by the installation's provider, if it has one, and why it was refused: the server tells a code in the address.
import { Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { client } from '../api/client';

const REFUSALS: Record<string, string> = {
  oidc_denied: 'The sign-in was broken off at the provider. Try again.',
  oidc_expired: 'This sign-in took too long, or was used before. Try again.',
  oidc_failed: 'The answer of the provider could not be checked, so nobody was signed in. Try again.',
  oidc_away: 'The sign-in provider does not answer. Try again later, or use your password.',
  oidc_unverified: 'The provider vouches for no e-mail address of yours. Verify it there, then try again.',
  oidc_no_role: 'None of your groups gives you a role here. Ask a superadmin.',
  oidc_other_person: 'The account of this address belongs to somebody else at the provider. Ask a superadmin.',
  oidc_closed: 'This account is closed. Ask a superadmin.',
  oidc_last_superadmin:
    'Your groups no longer make you a superadmin, but you are the last one here. Make another first.',
};

export function ProviderSignIn() {
  const methods = useQuery({ queryKey: ['me', 'ways'], queryFn: ({ signal }) => client.signInMethods(signal) });
  const refused = REFUSALS[new URLSearchParams(location.search).get('signIn') ?? ''];
  const oidc = methods.data?.oidc;
  return (
    <>
      {refused && (
        <Text role="alert" size="sm" c="var(--mantine-color-error)">
          {refused}
        </Text>
      )}
      {oidc && (
        <Button
          component="a"
          href={`${oidc.url}?returnTo=${encodeURIComponent(location.pathname)}`}
          variant="default"
          fullWidth
        >
          Sign in with {oidc.name}
        </Button>
      )}
    </>
  );
}
