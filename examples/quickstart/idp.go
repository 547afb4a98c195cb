// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
)

const (
	issuer   = "https://idp.example"
	audience = "orders"
)

// vault keeps every token that was issued or sent, for the check at the end that
// none of them left by telemetry.
type vault struct {
	mu     sync.Mutex
	tokens []string
}

func (v *vault) add(raw string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tokens = append(v.tokens, raw)
}

func (v *vault) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.tokens...)
}

type signer struct {
	kid    string
	method jwt.SigningMethod
	key    any // private
	public any
}

type user struct{ password, scope string }

type grant struct {
	user, jti, sid string
	expires        time.Time
}

// idp is an identity provider that signs with ES256 and RS256.
type idp struct {
	audit *otelaudit.Auditor
	seen  *vault
	url   string
	users map[string]user

	mu      sync.Mutex
	es, rs  signer
	issued  map[string]grant       // by fingerprint: no token is kept
	revoked *otelaudit.MemoryStore // a real provider shares one with its services: see redisstore
}

func newIDP(audit *otelaudit.Auditor, seen *vault) (*idp, error) {
	p := &idp{
		audit: audit, seen: seen,
		users: map[string]user{
			"alice": {rand.Text(), "orders:read orders:refund"},
			"bob":   {rand.Text(), "orders:read"},
		},
		issued: map[string]grant{}, revoked: otelaudit.NewMemoryStore(0),
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	p.rs = signer{"rs-1", jwt.SigningMethodRS256, key, &key.PublicKey}
	return p, p.rotate("es-1")
}

// rotate replaces the ES256 key.
func (p *idp) rotate(kid string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.es = signer{kid, jwt.SigningMethodES256, key, &key.PublicKey}
	return nil
}

func (p *idp) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("POST /revoke", p.revoke)
	mux.HandleFunc("POST /logout", p.logout)
	mux.HandleFunc("GET /jwks.json", p.jwks)
	return p.audit.Middleware(mux)
}

// login takes a password and answers a token.
func (p *idp) login(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("username")
	u, known := p.users[name]
	right := subtle.ConstantTimeCompare([]byte(u.password), []byte(r.PostFormValue("password"))) == 1
	if !known {
		name = "" // what was typed may be a password
	}
	if !known || !right {
		_ = p.audit.Login(r.Context(), otelaudit.Login{Method: "password", UserID: name, Err: otelaudit.ReasonCredentialsInvalid})
		http.Error(w, "wrong user name or password", http.StatusUnauthorized)
		return
	}
	sid := rand.Text()
	if err := p.audit.Login(r.Context(), otelaudit.Login{Method: "password", UserID: name, SessionID: sid}); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	claims := p.claims(name)
	claims["sid"] = sid
	raw, err := p.issue(r.Context(), claims, false)
	if err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": raw, "token_type": "Bearer", "expires_in": 3600})
}

// claims are those of a good token of the user.
func (p *idp) claims(name string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": name, "jti": rand.Text(), "scope": p.users[name].scope,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// issue signs claims by the ES256 key, or by the RS256 key for older clients.
func (p *idp) issue(ctx context.Context, claims jwt.MapClaims, old bool) (string, error) {
	p.mu.Lock()
	k := p.es
	if old {
		k = p.rs
	}
	p.mu.Unlock()
	token := jwt.NewWithClaims(k.method, claims)
	token.Header["kid"] = k.kid
	raw, err := p.audit.SignedString(ctx, token, k.key)
	if err != nil {
		return "", err
	}
	p.seen.add(raw)
	g := grant{}
	g.user, _ = claims["sub"].(string)
	g.jti, _ = claims["jti"].(string)
	g.sid, _ = claims["sid"].(string)
	if exp, ok := claims["exp"].(int64); ok {
		g.expires = time.Unix(exp, 0)
	}
	p.mu.Lock()
	p.issued[p.audit.Fingerprint(raw)] = g
	p.mu.Unlock()
	return raw, nil
}

// jwks serves the public keys without alg, as many providers do.
func (p *idp) jwks(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	signers := []signer{p.es, p.rs}
	p.mu.Unlock()
	set := jwkset.NewMemoryStorage()
	for _, s := range signers {
		k, err := jwkset.NewJWKFromKey(s.public, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: s.kid, USE: jwkset.UseSig}})
		if err == nil {
			err = set.KeyWrite(r.Context(), k)
		}
		if err != nil {
			http.Error(w, "no keys", http.StatusInternalServerError)
			return
		}
	}
	body, err := set.JSONPublic(r.Context())
	if err != nil {
		http.Error(w, "no keys", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// revoke revokes a token (RFC 7009): a token that it does not know is no error.
func (p *idp) revoke(w http.ResponseWriter, r *http.Request) {
	g, fp, known := p.grant(r)
	if known {
		err := p.audit.Revocation(r.Context(), otelaudit.Revocation{
			Store: p.revoked, UserID: g.user, Fingerprint: fp, Issuer: issuer, TokenID: g.jti, ExpiresAt: g.expires,
		})
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

// logout ends the session of a token.
func (p *idp) logout(w http.ResponseWriter, r *http.Request) {
	if g, _, known := p.grant(r); known {
		_ = p.audit.Logout(r.Context(), otelaudit.Logout{UserID: g.user, SessionID: g.sid})
	}
	w.WriteHeader(http.StatusNoContent)
}

// grant finds the token of the form among those that were issued.
func (p *idp) grant(r *http.Request) (g grant, fingerprint string, known bool) {
	fingerprint = p.audit.Fingerprint(r.PostFormValue("token"))
	p.mu.Lock()
	defer p.mu.Unlock()
	g, known = p.issued[fingerprint]
	return g, fingerprint, known
}

// rsaPEM is the public RSA key, which anyone can have.
func (p *idp) rsaPEM() (kid string, text []byte, err error) {
	der, err := x509.MarshalPKIXPublicKey(p.rs.public)
	return p.rs.kid, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}
