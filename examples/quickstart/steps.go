// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// refused are the events of a request whose token is refused for reason.
func refused(reason string, more ...want) []want {
	return append(more, want("token.validation failure "+reason), want("access failure "+reason))
}

// steps is the script. Each step names the events that it must cause.
func (s *story) steps() []step {
	from, forwarded, elsewhere := secondAddress, "", s.elsewhere
	if elsewhere == nil {
		from, forwarded, elsewhere = forwardedAddress, forwardedAddress, s.client
	}
	return []step{
		{"The orders API starts and fetches the provider's keys", func(context.Context) (err error) {
			s.orders, err = s.open()
			return err
		}, []want{"access success", "jwks.refresh success"}},
		{"Alice logs in, and gets a token", func(ctx context.Context) (err error) {
			status, raw, err := s.login(ctx, "alice", s.idp.users["alice"].password)
			if s.token = raw; err == nil && status != http.StatusOK {
				err = fmt.Errorf("the login answered %d", status)
			}
			return err
		}, []want{"login success", "token.issuance success", "access success"}},
		{"Alice lists her orders", func(ctx context.Context) error {
			return s.get(ctx, s.token, http.StatusOK)
		}, []want{"token.validation success", "authorization success", "access success"}},
		{"Alice refunds one", func(ctx context.Context) error {
			return s.call(ctx, s.client, http.MethodPost, "/orders/1001/refund", s.token, "", http.StatusAccepted)
		}, []want{"token.validation success", "authorization success", "access success"}},
		{"Someone guesses Bob's password five times", s.guess, guesses()},
		{"A request without a token", func(ctx context.Context) error {
			return s.get(ctx, "", http.StatusUnauthorized)
		}, refused("token_missing")},
		{"A token that expired ten minutes ago", func(ctx context.Context) error {
			return s.with(ctx, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-10 * time.Minute).Unix() }, true, http.StatusUnauthorized)
		}, refused("expired", "token.issuance success")},
		{"A token for another audience", func(ctx context.Context) error {
			return s.with(ctx, func(c jwt.MapClaims) { c["aud"] = "invoices" }, false, http.StatusUnauthorized)
		}, refused("audience_mismatch", "token.issuance success")},
		{"A forged token with alg none", func(ctx context.Context) error {
			raw, err := s.forge(jwt.SigningMethodNone, "rs-1", jwt.UnsafeAllowNoneSignatureType)
			if err != nil {
				return err
			}
			return s.get(ctx, raw, http.StatusUnauthorized)
		}, refused("alg_none")},
		{"A forged HS256 token, keyed with the provider's public RSA key", func(ctx context.Context) error {
			kid, public, err := s.idp.rsaPEM()
			if err != nil {
				return err
			}
			raw, err := s.forge(jwt.SigningMethodHS256, kid, public)
			if err != nil {
				return err
			}
			return s.get(ctx, raw, http.StatusUnauthorized)
		}, refused("alg_key_confusion")},
		{"Alice's token with one bit of its signature flipped", func(ctx context.Context) error {
			raw, err := tamper(s.token)
			if err != nil {
				return err
			}
			return s.get(ctx, raw, http.StatusUnauthorized)
		}, refused("signature_invalid")},
		{"A token signed by a key that nobody knows", func(ctx context.Context) error {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return err
			}
			raw, err := s.forge(jwt.SigningMethodES256, "es-666", key)
			if err != nil {
				return err
			}
			return s.get(ctx, raw, http.StatusUnauthorized)
		}, refused("kid_unknown", "access success")},
		{"A token whose key id is a path, to be verified with an empty file", func(ctx context.Context) error {
			raw, err := s.forge(jwt.SigningMethodHS256, "../../../../dev/null", []byte{})
			if err != nil {
				return err
			}
			return s.get(ctx, raw, http.StatusUnauthorized)
		}, refused("kid_injection")},
		{"Bob may read, but tries a refund", func(ctx context.Context) error {
			_, raw, err := s.login(ctx, "bob", s.idp.users["bob"].password)
			if err != nil {
				return err
			}
			return s.call(ctx, s.client, http.MethodPost, "/orders/1001/refund", raw, "", http.StatusForbidden)
		}, []want{"login success", "token.issuance success", "access success", "token.validation success",
			"authorization failure insufficient_scope", "access failure insufficient_scope"}},
		{"A scanner asks for a route that does not exist", func(ctx context.Context) error {
			return s.call(ctx, s.client, http.MethodGet, "/.git/config", "", "", http.StatusNotFound)
		}, []want{"access failure route_unknown"}},
		{"The provider rotates its ES256 key: the orders API does not know it, refreshes, and it works", func(ctx context.Context) error {
			if err := s.idp.rotate("es-2"); err != nil {
				return err
			}
			return s.with(ctx, func(jwt.MapClaims) {}, false, http.StatusOK)
		}, []want{"access success", "jwks.refresh success", "token.issuance success", "token.validation success",
			"authorization success", "access success"}},
		{"Alice logs in anew; the same token then comes from another address", func(ctx context.Context) (err error) {
			if _, s.token, err = s.login(ctx, "alice", s.idp.users["alice"].password); err != nil {
				return err
			}
			if err := s.get(ctx, s.token, http.StatusOK); err != nil {
				return err
			}
			return s.call(ctx, elsewhere, http.MethodGet, "/orders", s.token, forwarded, http.StatusOK)
		}, []want{"login success", "token.issuance success", "access success - 127.0.0.1", "access success - 127.0.0.1",
			"token.validation success - 127.0.0.1", want("token.validation success context_changed " + from), want("access success - " + from)}},
		{"That token is revoked, and used once more", func(ctx context.Context) error {
			resp, err := s.post(ctx, s.idp.url+"/revoke", url.Values{"token": {s.token}})
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
			return s.get(ctx, s.token, http.StatusUnauthorized)
		}, refused("token_revoked", "token.revocation success", "access success")},
		{"Alice logs out", func(ctx context.Context) error {
			resp, err := s.post(ctx, s.idp.url+"/logout", url.Values{"token": {s.token}})
			if err != nil {
				return err
			}
			return resp.Body.Close()
		}, []want{"logout success", "access success"}},
	}
}

const attempts = 5

func (s *story) guess(ctx context.Context) error {
	for range attempts {
		status, _, err := s.login(ctx, "bob", rand.Text())
		if err != nil {
			return err
		}
		if status != http.StatusUnauthorized {
			return fmt.Errorf("a wrong password was answered %d", status)
		}
	}
	return nil
}

func guesses() (out []want) {
	for range attempts {
		out = append(out, "login failure credentials_invalid", "access failure credentials_invalid")
	}
	return out
}
