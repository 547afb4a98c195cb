// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// observe notes what one key said.
func (at *attempt) observe(key any, err error) {
	at.tried++
	if strings.HasPrefix(at.method.Alg(), "HS") && isPublicKey(key) {
		at.public++
	}
	switch {
	case err == nil:
		at.verified = at.method != jwt.SigningMethodNone
	case errors.Is(err, jwt.ErrHashUnavailable):
		at.hash = true
	case errors.Is(err, jwt.ErrInvalidKeyType), errors.Is(err, jwt.ErrInvalidKey):
		at.unfit++
	}
}

// isPublicKey recognises public keys, also as the bytes of their PEM or DER form,
// which HMAC takes for a secret.
func isPublicKey(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey, rsa.PublicKey, *ecdsa.PublicKey, ecdsa.PublicKey, ed25519.PublicKey, *ed25519.PublicKey:
		return true
	case []byte:
		if b := bytes.TrimSpace(k); bytes.HasPrefix(b, []byte(pemMarker)) {
			return bytes.Contains(b, []byte("PUBLIC KEY-----")) || bytes.Contains(b, []byte("CERTIFICATE-----"))
		}
		if len(k) > 32 && k[0] == 0x30 { // an ASN.1 SEQUENCE
			if _, err := x509.ParsePKIXPublicKey(k); err == nil {
				return true
			}
			_, err := x509.ParsePKCS1PublicKey(k)
			return err == nil
		}
	}
	return false
}

// findings are what golang-jwt accepted and an auditor would not have.
func (at *attempt) findings() (out []Finding) {
	if at.method == jwt.SigningMethodNone {
		out = append(out, FindingAlgNone)
	}
	if at.public > 0 {
		out = append(out, FindingAlgKeyConfusion)
	}
	if len(at.raw) > MaxTokenSize {
		out = append(out, FindingTokenOversize)
	}
	return out
}

// reasons classifies a refusal by what was observed, never by the text of errors:
// how far the parser got, what the keyfunc and each key said, which claims failed.
func (at *attempt) reasons(classifiers []func(error) (Reason, bool)) []Reason {
	switch {
	case at.panicked:
		return []Reason{ReasonPanic}
	case at.err == nil:
		return nil
	}
	var out []Reason
	if len(at.raw) > MaxTokenSize {
		out = append(out, ReasonTokenOversize)
	}
	if r := at.shape(); r != "" {
		return append(out, r)
	}
	t := at.token
	if alg, _ := t.Header["alg"].(string); strings.EqualFold(alg, "none") && !at.passed() {
		return append([]Reason{ReasonAlgNone}, out...)
	}
	switch {
	case at.asked && at.keyErr != nil:
		return append([]Reason{keyReason(at.keyErr, classifiers)}, out...)
	case at.passed():
		return append(claimReasons(at.err, &at.extra), out...)
	case at.tried > 0:
		return append([]Reason{at.signatureReason()}, out...)
	case at.asked:
		return append([]Reason{ReasonKeyfuncError}, out...) // an empty key set
	case t.Method == nil:
		if _, ok := t.Header["alg"].(string); ok {
			return append([]Reason{ReasonAlgUnknown}, out...)
		}
		return append([]Reason{ReasonAlgMissing}, out...)
	case at.user == nil && !errors.Is(at.err, jwt.ErrTokenSignatureInvalid):
		return append([]Reason{ReasonConfigError}, out...)
	default:
		return append([]Reason{ReasonAlgNotAllowed}, out...)
	}
}

// passed tells that the signature check did.
func (at *attempt) passed() bool {
	return at.verified || at.method == jwt.SigningMethodNone && errors.Is(at.err, jwt.ErrTokenInvalidClaims)
}

// shape is why the text is not a token at all.
func (at *attempt) shape() Reason {
	switch t := at.token; {
	case at.raw == "":
		return ReasonTokenEmpty
	case t == nil && strings.Count(at.raw, ".") == 4:
		return ReasonJWEUnexpected
	case t == nil:
		return ReasonMalformedSegments
	case at.asked || !errors.Is(at.err, jwt.ErrTokenMalformed):
		return ""
	case at.noClaims && t.Header != nil:
		return ReasonConfigError
	case t.Claims == nil:
		return ReasonMalformedHeader
	case t.Method == nil:
		return ReasonMalformedClaims
	default:
		return ReasonMalformedSignature
	}
}

func keyReason(err error, classifiers []func(error) (Reason, bool)) Reason {
	if r, ok := ReasonOf(err); ok {
		return r
	}
	for _, classify := range classifiers {
		if r, ok := classify(err); ok {
			return r.closed()
		}
	}
	return ReasonKeyfuncError
}

func (at *attempt) signatureReason() Reason {
	switch {
	case at.public > 0:
		return ReasonAlgKeyConfusion
	case len(at.token.Signature) == 0:
		return ReasonSignatureStripped
	case at.hash:
		return ReasonConfigError
	case at.unfit == at.tried:
		return ReasonAlgJWKMismatch
	default:
		return ReasonSignatureInvalid
	}
}

// claimReasons lists every failed claim, in the order golang-jwt checks them.
func claimReasons(err error, extra *claimsExtra) []Reason {
	var out []Reason
	for _, leaf := range claimLeaves(err) {
		out = append(out, claimReason(leaf, extra))
	}
	if out == nil {
		out = []Reason{ReasonOther}
	}
	return out
}

// claimLeaves are the errors that the validator joined beside ErrTokenInvalidClaims.
func claimLeaves(err error) []error {
	top, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var leaves []error
	for _, e := range top.Unwrap() {
		if e == jwt.ErrTokenInvalidClaims { //nolint:errorlint // the sentinel itself, not what wraps it
			continue
		}
		if joined, ok := e.(interface{ Unwrap() []error }); ok {
			leaves = append(leaves, joined.Unwrap()...)
		} else {
			leaves = append(leaves, e)
		}
	}
	return leaves
}

func claimReason(leaf error, extra *claimsExtra) Reason {
	for _, row := range [...]struct {
		err    error
		reason Reason
	}{
		{jwt.ErrTokenExpired, ReasonExpired},
		{jwt.ErrTokenNotValidYet, ReasonNotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, ReasonIssuedInFuture},
		{jwt.ErrTokenInvalidAudience, ReasonAudienceMismatch},
		{jwt.ErrTokenInvalidIssuer, ReasonIssuerMismatch},
		{jwt.ErrTokenInvalidSubject, ReasonSubjectMismatch},
		{jwt.ErrInvalidType, ReasonClaimType},
	} {
		if errors.Is(leaf, row.err) {
			return row.reason
		}
	}
	if errors.Is(leaf, jwt.ErrTokenRequiredClaimMissing) {
		if extra.audObject { // MapClaims calls an aud of the wrong type missing
			return ReasonClaimType
		}
		return ReasonClaimMissing
	}
	if r, ok := ReasonOf(leaf); ok {
		return r
	}
	return ReasonClaimsCustom
}

// knownAlgorithm bounds the algorithm as a dimension of metrics.
func knownAlgorithm(alg string) string {
	switch alg {
	case "", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
		"ES256", "ES384", "ES512", "EdDSA", "none":
		return alg
	default:
		return string(ReasonOther)
	}
}
