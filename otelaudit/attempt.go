// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// attempt watches one validation: what the keyfunc returned and what each key
// said, which the error of golang-jwt alone does not tell.
type attempt struct {
	raw      string
	user     jwt.Keyfunc
	noClaims bool

	token    *jwt.Token
	err      error
	panicked bool

	asked    bool  // the keyfunc was called
	answered bool  // and returned
	keyErr   error // with this error
	method   jwt.SigningMethod
	tried    int // keys
	verified bool
	unfit    int // keys of a type that the algorithm cannot use
	public   int // public keys that an HMAC was to be checked with
	hash     bool

	extra claimsExtra
}

// claimsExtra are claims that jwt.Claims has no getters for.
type claimsExtra struct {
	jti, sid, scope, clientID string
	scp                       []string
	audObject                 bool
}

// keyfunc calls the host's, then puts the attempt in the way of the keys.
func (at *attempt) keyfunc(t *jwt.Token) (any, error) {
	at.asked, at.token = true, t
	key, err := at.user(t)
	at.answered, at.keyErr = true, err
	if err == nil && t.Method != nil {
		at.method = t.Method
		t.Method = (*recordingMethod)(at)
	}
	return key, err
}

// restore puts the token's own method back.
func (at *attempt) restore() {
	if at.token == nil {
		return
	}
	if _, ours := at.token.Method.(*recordingMethod); ours {
		at.token.Method = at.method
	}
}

// recordingMethod is the attempt as the signing method that golang-jwt calls.
type recordingMethod attempt

var _ jwt.SigningMethod = (*recordingMethod)(nil)

// Verify implements jwt.SigningMethod.
func (m *recordingMethod) Verify(signingString string, sig []byte, key any) error {
	err := m.method.Verify(signingString, sig, key)
	(*attempt)(m).observe(key, err)
	return err
}

// Sign implements jwt.SigningMethod.
func (m *recordingMethod) Sign(signingString string, key any) ([]byte, error) {
	return m.method.Sign(signingString, key)
}

// Alg implements jwt.SigningMethod.
func (m *recordingMethod) Alg() string { return m.method.Alg() }

// readExtra fills in the claims without getters from the decoded claims.
func (at *attempt) readExtra(claims []byte) {
	for name, value := range members(claims) {
		switch name {
		case "jti":
			at.extra.jti = jsonString(value)
		case "sid":
			at.extra.sid = jsonString(value)
		case "scope":
			at.extra.scope = jsonString(value)
		case "client_id":
			at.extra.clientID = jsonString(value)
		case "scp":
			if value[0] == '"' {
				at.extra.scope = jsonString(value)
			} else {
				_ = json.Unmarshal(value, &at.extra.scp)
			}
		case "aud":
			at.extra.audObject = value[0] != '"' && value[0] != '[' && value[0] != 'n'
		}
	}
}

// describe says what is known of the token, and what came of it.
func (a *Auditor) describe(at *attempt, e *Event) {
	info := &TokenInfo{Size: len(at.raw), SignatureVerified: at.verified}
	e.Token = info
	if at.raw != "" {
		info.Fingerprint = a.hasher.token(at.raw, func(_, claims []byte) { at.readExtra(claims) })
	}
	if t := at.token; t != nil {
		info.Algorithm, _ = t.Header["alg"].(string)
		info.KeyID, _ = t.Header["kid"].(string)
		info.Type, _ = t.Header["typ"].(string)
	}
	e.Reasons = at.reasons(a.classifiers)
	if at.err == nil && !at.panicked {
		e.Findings = at.findings()
	}
	if t := at.token; t != nil && t.Claims != nil && !at.panicked && (at.verified || a.claimed) {
		at.readClaims(info, t.Claims)
	}
}

func (at *attempt) readClaims(info *TokenInfo, c jwt.Claims) {
	readClaims(info, c)
	x := &at.extra
	info.ID = x.jti
	if info.Scopes = x.scp; x.scope != "" {
		info.Scopes = strings.Fields(x.scope)
	}
}

// readClaims asks the getters of c.
func readClaims(info *TokenInfo, c jwt.Claims) {
	info.Issuer, _ = c.GetIssuer()
	info.Subject, _ = c.GetSubject()
	info.Audience, _ = c.GetAudience()
	info.IssuedAt = date(c.GetIssuedAt())
	info.ExpiresAt = date(c.GetExpirationTime())
}

func date(d *jwt.NumericDate, err error) time.Time {
	if err != nil || d == nil {
		return time.Time{}
	}
	return d.Time
}

// subject is who a token with a verified signature speaks for. A client that
// acts for itself is its own subject (RFC 9068, section 2.2).
func (at *attempt) subject(info *TokenInfo) Subject {
	s := Subject{ID: info.Subject, SessionID: at.extra.sid, TokenFingerprint: info.Fingerprint, Scopes: info.Scopes}
	if c := at.extra.clientID; c != "" && (s.ID == "" || s.ID == c) {
		s.ID, s.Type = c, ActorService
	}
	return s
}
