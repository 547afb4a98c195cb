// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"encoding/base64"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// attempt watches one validation: what the keyfunc returned and what each key
// said, which the error of golang-jwt alone does not tell.
type attempt struct {
	raw         string
	user        jwt.Keyfunc
	noClaims    bool
	expRequired bool
	unparsed    bool // refused for its size alone

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
	flaw     Finding // of a key that did not verify the signature

	looked  bool // at the decoded token
	found   findings
	keyHost string // of the URL in jku or x5u
	jwk     bool   // the header has one
	dpop    bool   // and may
	extra   claimsExtra
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

// read looks at the decoded token.
func (at *attempt) read(header, claims []byte) {
	if strings.Count(at.raw, ".") != 2 {
		return
	}
	at.looked = true
	at.readHeader(header)
	at.readClaims(claims)
	if !isCanonical(at.raw) {
		at.found.add(FindingBase64Noncanonical)
	}
}

// readUndecoded reads an accepted token that is too long to be fingerprinted by its
// contents, so that its size hides nothing.
func (at *attempt) readUndecoded() {
	parts := strings.Split(at.raw, ".")
	if !at.verified || len(parts) != 3 {
		return
	}
	header, err := base64.RawURLEncoding.DecodeString(string(trimPadding(parts[0])))
	if err != nil {
		return
	}
	if claims, err := base64.RawURLEncoding.DecodeString(string(trimPadding(parts[1]))); err == nil {
		at.read(header, claims)
	}
}

// describe says what is known of the token.
func (a *Auditor) describe(at *attempt) *TokenInfo {
	info := &TokenInfo{Size: len(at.raw), SignatureVerified: at.verified}
	if at.raw != "" {
		info.Fingerprint = a.hasher.token(at.raw, at.read)
	}
	if len(at.raw) > MaxTokenSize {
		at.found.add(FindingTokenOversize)
	}
	if len(at.raw) > maxDecoded {
		at.readUndecoded()
	}
	info.KeyHost = at.keyHost
	if t := at.token; t != nil {
		info.Algorithm, _ = t.Header["alg"].(string)
		info.KeyID, _ = t.Header["kid"].(string)
		info.Type, _ = t.Header["typ"].(string)
		if t.Claims != nil && !at.panicked && (at.verified || a.claimed) {
			at.describeClaims(info, t.Claims)
		}
	}
	return info
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
