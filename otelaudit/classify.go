// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"errors"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// observe notes what one key said.
func (at *attempt) observe(key any, err error) {
	at.tried++
	alg := at.method.Alg()
	public := strings.HasPrefix(alg, "HS") && isPublicKey(key)
	if public {
		at.public++
		at.found.add(FindingAlgKeyConfusion)
	}
	switch {
	case err == nil:
		at.verified = at.method != jwt.SigningMethodNone
		if !at.verified {
			at.found.add(FindingAlgNone)
		}
		if !public {
			at.found.add(keyFinding(alg, key))
		}
	case errors.Is(err, jwt.ErrHashUnavailable):
		at.hash = true
	case errors.Is(err, jwt.ErrInvalidKeyType), errors.Is(err, jwt.ErrInvalidKey):
		at.unfit++
	case at.flaw == "":
		at.flaw = keyFinding(alg, key)
	}
}

// verdict is why the token was refused, the decisive reason first, and what else is
// suspicious.
func (at *attempt) verdict(classifiers []func(error) (Reason, bool)) (reasons []Reason, found []Finding) {
	reasons = at.reasons(classifiers)
	if at.err != nil && !at.unparsed && !at.panicked && at.shape() != "" {
		// What is no token has no members and no spelling either.
		at.found = slices.DeleteFunc(at.found, func(f Finding) bool { return !slices.Contains(decisive[:], f) })
	}
	if reasons != nil && !at.verified && !at.panicked {
		reasons = at.blameHeader(reasons)
	}
	for _, f := range at.found {
		if !slices.Contains(reasons, f.Reason()) {
			found = append(found, f)
		}
	}
	return reasons, found
}

// decisive are findings in the header of a forged token that tell more of the
// attempt than that no key verified it. The gravest come first.
var decisive = [...]Finding{
	FindingHeaderJWK, FindingHeaderJKU, FindingHeaderX5U, FindingHeaderX5C,
	FindingKidInjection, FindingKidNotString, FindingKidOversize, FindingJWEUnexpected,
}

// blameHeader puts the decisive findings before reasons that they explain: not before an
// attack of another kind, nor a fault which would have refused an honest token too.
func (at *attempt) blameHeader(reasons []Reason) []Reason {
	var out []Reason
	for _, f := range decisive {
		if slices.Contains(at.found, f) && !slices.Contains(reasons, f.Reason()) {
			out = append(out, f.Reason())
		}
	}
	class := reasons[0].Class()
	if class == ClassAttack || class == ClassFault && reasons[0] != ReasonKeyfuncError {
		return append(reasons, out...)
	}
	return append(out, reasons...)
}

// reasons classifies a refusal by what was observed, never by the text of errors:
// how far the parser got, what the keyfunc and each key said, which claims failed.
func (at *attempt) reasons(classifiers []func(error) (Reason, bool)) []Reason {
	switch {
	case at.panicked:
		return []Reason{ReasonPanic}
	case at.err == nil:
		return nil
	case at.unparsed:
		return []Reason{ReasonTokenOversize}
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
		return append(at.claimReasons(), out...)
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
	case isZeroSignature(at.method.Alg(), at.token.Signature):
		return ReasonSignatureZero
	case at.hash:
		return ReasonConfigError
	case at.unfit == at.tried:
		return ReasonAlgJWKMismatch
	case at.tried == 1 && (at.flaw == FindingCurveMismatch || at.flaw == FindingWeakRSAKey):
		return at.flaw.Reason() // crypto/rsa refuses small keys, other curves have longer signatures
	default:
		return ReasonSignatureInvalid
	}
}

// claimReasons lists every failed claim, in the order golang-jwt checks them.
func (at *attempt) claimReasons() []Reason {
	var out []Reason
	for i, leaf := range claimLeaves(at.err) {
		r := claimReason(leaf, &at.extra)
		// The exp is checked first, so that no other claim can be the first to be missing.
		if r == ReasonClaimMissing && i == 0 && at.expRequired {
			switch exp := at.extra.exp; {
			case !exp.present:
				r = ReasonExpMissing
			case exp.seconds == 0:
				r = ReasonExpZero
			}
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
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
