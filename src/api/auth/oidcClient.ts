// Talks to the OpenID Connect provider: where to send the browser, and whom it brings back. Code flow with PKCE, state and
// nonce; the id token's signature is checked. Knows nothing of accounts (oidcSignIn.ts does).
import type { Configuration } from 'openid-client' with { 'resolution-mode': 'import' };
import type { OidcConfig } from '../../config/oidc';

/** Kept in the session of the browser that began; good for one way back. */
export interface PendingSignIn {
  state: string;
  nonce: string;
  verifier: string;
  returnTo: string;
  startedAt: number;
}

export interface OidcPerson {
  issuer: string;
  subject: string;
  email: string | null;
  isEmailVerified: boolean;
  name: string | null;
  groups: string[];
}

export interface OidcClient {
  config: OidcConfig;
  /** @throws when the provider does not answer. */
  begin(returnTo: string): Promise<{ pending: PendingSignIn; url: URL }>;
  /** @param address of the request by which the browser came back. @throws when anything does not fit. */
  finish(pending: PendingSignIn, address: string): Promise<OidcPerson>;
}

const TIMEOUT_SECONDS = 10;
export const CALLBACK_PATH = '/api/v1/auth/oidc/callback';

export function createOidcClient(config: OidcConfig, baseUrl: string): OidcClient {
  let discovered: Promise<Configuration> | null = null;

  // Loaded and asked at the first sign-in: Gantry starts while the provider is away.
  const provider = async (): Promise<Configuration> => {
    const oidc = await import('openid-client');
    const insecure = config.issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [];
    const authentication = config.clientSecret === undefined ? oidc.None() : undefined;
    discovered ??= oidc
      .discovery(new URL(config.issuer), config.clientId, config.clientSecret, authentication, {
        execute: [oidc.enableNonRepudiationChecks, ...insecure],
        timeout: TIMEOUT_SECONDS,
      })
      .catch((error: unknown) => {
        discovered = null;
        throw error;
      });
    return discovered;
  };

  return {
    config,
    begin: async (returnTo) => {
      const oidc = await import('openid-client');
      const pending = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        returnTo,
        startedAt: Date.now(),
      };
      const url = oidc.buildAuthorizationUrl(await provider(), {
        redirect_uri: baseUrl + CALLBACK_PATH,
        scope: config.scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
      });
      return { pending, url };
    },
    finish: async (pending, address) => {
      const oidc = await import('openid-client');
      const from = await provider();
      const tokens = await oidc.authorizationCodeGrant(from, new URL(address, baseUrl), {
        pkceCodeVerifier: pending.verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const told = tokens.claims();
      if (!told) throw new Error('the provider sent no id token');
      const more = from.serverMetadata().userinfo_endpoint
        ? await oidc.fetchUserInfo(from, tokens.access_token, told.sub)
        : {};
      return personOf({ ...more, ...told }, config.groupsClaim);
    },
  };
}

function personOf(claims: Record<string, unknown> & { iss: string; sub: string }, groupsClaim: string): OidcPerson {
  const groups = claims[groupsClaim];
  const text = (value: unknown): string | null => (typeof value === 'string' && value.trim() ? value.trim() : null);
  return {
    issuer: claims.iss,
    subject: claims.sub,
    email: text(claims['email']),
    isEmailVerified: claims['email_verified'] === true,
    name: text(claims['name']),
    groups: (Array.isArray(groups) ? groups : [groups]).filter((each) => typeof each === 'string'),
  };
}
