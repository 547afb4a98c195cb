// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"errors"

	"go.opentelemetry.io/otel/log"
)

// Reason is a stable code for why something was refused or could not be decided.
// It is exported as error.type. The set is closed: [Reasons] lists it.
//
// A Reason is an error, so that a host can say why in the terms of this package:
//
//	return nil, fmt.Errorf("no key for this kid: %w", otelaudit.ReasonKidUnknown)
type Reason string

// Class is the severity class of a reason or finding.
type Class int

// The classes, in ascending severity.
const (
	// ClassRoutine is what happens every day: a missing or expired token.
	ClassRoutine Class = iota
	// ClassSuspicious may be an attack or a misconfiguration.
	ClassSuspicious
	// ClassAttack is not produced by honest clients.
	ClassAttack
	// ClassFault is a fault on our side: the check could not be made.
	ClassFault
)

// String returns the name of c as the registry spells it.
func (c Class) String() string {
	switch c {
	case ClassRoutine:
		return "routine"
	case ClassSuspicious:
		return "suspicious"
	case ClassAttack:
		return "attack"
	default:
		return "fault"
	}
}

// Severity is the OpenTelemetry severity of c.
func (c Class) Severity() log.Severity {
	switch c {
	case ClassRoutine:
		return log.SeverityInfo
	case ClassSuspicious:
		return log.SeverityWarn
	default:
		return log.SeverityError
	}
}

// ReasonInfo is one row of the closed table.
type ReasonInfo struct {
	Reason Reason
	Class  Class
	// OWASP is the term of the OWASP Logging Vocabulary.
	OWASP string
	// RFC6750 is the error code that a client may see (RFC 6750, section 3.1);
	// empty where the answer carries none.
	RFC6750 string
	// Brief is one sentence for people.
	Brief string
}

// The reasons.
const (
	ReasonTokenMissing      Reason = "token_missing"
	ReasonTokenEmpty        Reason = "token_empty"
	ReasonTokenMultiple     Reason = "token_multiple"
	ReasonSchemeUnsupported Reason = "scheme_unsupported"
	ReasonTokenOversize     Reason = "token_oversize"

	ReasonMalformedSegments  Reason = "malformed_segments"
	ReasonMalformedHeader    Reason = "malformed_header"
	ReasonMalformedClaims    Reason = "malformed_claims"
	ReasonMalformedSignature Reason = "malformed_signature"
	ReasonJWEUnexpected      Reason = "jwe_unexpected"

	ReasonAlgNone         Reason = "alg_none"
	ReasonAlgMissing      Reason = "alg_missing"
	ReasonAlgUnknown      Reason = "alg_unknown"
	ReasonAlgNotAllowed   Reason = "alg_not_allowed"
	ReasonAlgKeyConfusion Reason = "alg_key_confusion"
	ReasonAlgJWKMismatch  Reason = "alg_jwk_mismatch"

	ReasonSignatureInvalid  Reason = "signature_invalid"
	ReasonSignatureStripped Reason = "signature_stripped"
	ReasonKidUnknown        Reason = "kid_unknown"

	ReasonExpired          Reason = "expired"
	ReasonNotYetValid      Reason = "not_yet_valid"
	ReasonIssuedInFuture   Reason = "issued_in_future"
	ReasonIssuerMismatch   Reason = "issuer_mismatch"
	ReasonAudienceMismatch Reason = "audience_mismatch"
	ReasonSubjectMismatch  Reason = "subject_mismatch"
	ReasonClaimMissing     Reason = "claim_missing"
	ReasonClaimType        Reason = "claim_type"
	ReasonClaimsCustom     Reason = "claims_custom"
	ReasonTokenRevoked     Reason = "token_revoked"

	ReasonKeyfuncError     Reason = "keyfunc_error"
	ReasonJWKSUnavailable  Reason = "jwks_unavailable"
	ReasonStoreUnavailable Reason = "store_unavailable"
	ReasonConfigError      Reason = "config_error"
	ReasonSigningError     Reason = "signing_error"
	ReasonPanic            Reason = "panic"

	ReasonCredentialsInvalid Reason = "credentials_invalid"
	ReasonAccountLocked      Reason = "account_locked"
	ReasonAccountDisabled    Reason = "account_disabled"
	ReasonMFAFailed          Reason = "mfa_failed"

	ReasonInsufficientScope Reason = "insufficient_scope"
	ReasonPolicyDenied      Reason = "policy_denied"

	ReasonRequestInvalid   Reason = "request_invalid"
	ReasonUnauthorized     Reason = "unauthorized"
	ReasonForbidden        Reason = "forbidden"
	ReasonNotFound         Reason = "not_found"
	ReasonRouteUnknown     Reason = "route_unknown"
	ReasonMethodNotAllowed Reason = "method_not_allowed"
	ReasonRateLimited      Reason = "rate_limited"
	ReasonServerError      Reason = "server_error"

	// ReasonOther is the fallback of the error.type convention.
	ReasonOther Reason = "_OTHER"
)

const (
	invalidRequest    = "invalid_request"
	invalidToken      = "invalid_token"
	insufficientScope = "insufficient_scope"
)

var reasonTable = []ReasonInfo{
	{ReasonTokenMissing, ClassRoutine, "authn_login_fail", "", "The request carried no credential."},
	{ReasonTokenEmpty, ClassRoutine, "authn_login_fail", invalidRequest, "The credential was an empty string."},
	{ReasonTokenMultiple, ClassSuspicious, "input_validation_fail", invalidRequest, "More than one credential was sent."},
	{ReasonSchemeUnsupported, ClassRoutine, "authn_login_fail", "", "The Authorization scheme is not Bearer."},
	{ReasonTokenOversize, ClassSuspicious, "input_validation_fail", invalidToken, "The token is longer than any honest token (CVE-2025-30204)."},
	{ReasonMalformedSegments, ClassSuspicious, "input_validation_fail", invalidToken, "The token does not have three segments."},
	{ReasonMalformedHeader, ClassSuspicious, "input_validation_fail", invalidToken, "The header is not base64url-encoded JSON."},
	{ReasonMalformedClaims, ClassSuspicious, "input_validation_fail", invalidToken, "The claims are not base64url-encoded JSON of the expected shape."},
	{ReasonMalformedSignature, ClassSuspicious, "input_validation_fail", invalidToken, "The signature is not base64url."},
	{ReasonJWEUnexpected, ClassSuspicious, "input_validation_fail", invalidToken, "The token has the five segments of a JWE."},
	{ReasonAlgNone, ClassAttack, "malicious_extraneous", invalidToken, "The token claims to need no signature, in any spelling (CVE-2015-2951)."},
	{ReasonAlgMissing, ClassSuspicious, "input_validation_fail", invalidToken, "The header names no algorithm."},
	{ReasonAlgUnknown, ClassSuspicious, "input_validation_fail", invalidToken, "The header names an algorithm that is not registered."},
	{ReasonAlgNotAllowed, ClassSuspicious, "input_validation_fail", invalidToken, "The algorithm is not among those the parser allows."},
	{ReasonAlgKeyConfusion, ClassAttack, "malicious_extraneous", invalidToken, "An HMAC algorithm was to be checked with a public key (CVE-2016-5431)."},
	{ReasonAlgJWKMismatch, ClassSuspicious, "input_validation_fail", invalidToken, "The algorithm does not fit the key that was found."},
	{ReasonSignatureInvalid, ClassSuspicious, "authn_login_fail", invalidToken, "No key verifies the signature."},
	{ReasonSignatureStripped, ClassAttack, "malicious_extraneous", invalidToken, "The signature was removed."},
	{ReasonKidUnknown, ClassSuspicious, "authn_login_fail", invalidToken, "No key has the token's key id."},
	{ReasonExpired, ClassRoutine, "session_use_after_expire", invalidToken, "The token's exp has passed."},
	{ReasonNotYetValid, ClassRoutine, "authn_login_fail", invalidToken, "The token's nbf lies in the future."},
	{ReasonIssuedInFuture, ClassSuspicious, "authn_login_fail", invalidToken, "The token's iat lies in the future."},
	{ReasonIssuerMismatch, ClassSuspicious, "authn_login_fail", invalidToken, "The token's iss is not the expected one."},
	{ReasonAudienceMismatch, ClassSuspicious, "authn_login_fail", invalidToken, "The token is meant for another audience."},
	{ReasonSubjectMismatch, ClassSuspicious, "authn_login_fail", invalidToken, "The token's sub is not the expected one."},
	{ReasonClaimMissing, ClassSuspicious, "input_validation_fail", invalidToken, "A required claim is missing."},
	{ReasonClaimType, ClassSuspicious, "input_validation_fail", invalidToken, "A claim has the wrong JSON type."},
	{ReasonClaimsCustom, ClassSuspicious, "authn_login_fail", invalidToken, "The service's own claims validation refused the token."},
	{ReasonTokenRevoked, ClassAttack, "authn_token_reuse", invalidToken, "The token was used after it was revoked."},
	{ReasonKeyfuncError, ClassFault, "sys_monitor", "", "The key for the token could not be obtained."},
	{ReasonJWKSUnavailable, ClassFault, "sys_monitor", "", "The key set could not be fetched."},
	{ReasonStoreUnavailable, ClassFault, "sys_monitor", "", "The replay or revocation store could not be reached."},
	{ReasonConfigError, ClassFault, "sys_monitor", "", "The service's own keys, parser or signer are misconfigured."},
	{ReasonSigningError, ClassFault, "sys_monitor", "", "The token could not be signed."},
	{ReasonPanic, ClassFault, "sys_crash", "", "The host's code panicked."},
	{ReasonCredentialsInvalid, ClassSuspicious, "authn_login_fail", "", "The password or other proof was wrong."},
	{ReasonAccountLocked, ClassSuspicious, "authn_login_lock", "", "The account is locked."},
	{ReasonAccountDisabled, ClassSuspicious, "authn_login_fail", "", "The account is disabled or does not exist."},
	{ReasonMFAFailed, ClassSuspicious, "authn_login_fail", "", "The second factor was wrong."},
	{ReasonInsufficientScope, ClassSuspicious, "authz_fail", insufficientScope, "The token lacks a required scope."},
	{ReasonPolicyDenied, ClassSuspicious, "authz_fail", insufficientScope, "A policy denied the action."},
	{ReasonRequestInvalid, ClassRoutine, "input_validation_fail", "", "The API answered 4xx to a request it could not use."},
	{ReasonUnauthorized, ClassRoutine, "authn_login_fail", "", "The API answered 401."},
	{ReasonForbidden, ClassSuspicious, "authz_fail", "", "The API answered 403."},
	{ReasonNotFound, ClassRoutine, "input_validation_fail", "", "The API has the route but not the resource."},
	{ReasonRouteUnknown, ClassRoutine, "input_validation_fail", "", "The API has no such route."},
	{ReasonMethodNotAllowed, ClassRoutine, "input_validation_fail", "", "The API does not offer this method on the route."},
	{ReasonRateLimited, ClassSuspicious, "excess_rate_limit_exceeded", "", "The API answered 429."},
	{ReasonServerError, ClassFault, "sys_monitor", "", "The API answered 5xx."},
	{ReasonOther, ClassFault, "sys_monitor", "", "None of the other codes."},
}

var reasonByCode = func() map[Reason]*ReasonInfo {
	m := make(map[Reason]*ReasonInfo, len(reasonTable))
	for i := range reasonTable {
		m[reasonTable[i].Reason] = &reasonTable[i]
	}
	return m
}()

// Reasons returns the closed table. The caller owns the slice.
func Reasons() []ReasonInfo { return append([]ReasonInfo(nil), reasonTable...) }

// Info returns the row of r, or that of [ReasonOther] for an unknown code.
func (r Reason) Info() ReasonInfo {
	if i, ok := reasonByCode[r]; ok {
		return *i
	}
	return *reasonByCode[ReasonOther]
}

// Class is the severity class of r.
func (r Reason) Class() Class { return r.Info().Class }

// Outcome is [OutcomeError] for faults and [OutcomeFailure] for refusals.
func (r Reason) Outcome() Outcome {
	if r.Class() == ClassFault {
		return OutcomeError
	}
	return OutcomeFailure
}

// Error implements error.
func (r Reason) Error() string { return "otelaudit: " + string(r.Info().Reason) }

// ErrorType returns the code, where semconv.ErrorType looks for it.
func (r Reason) ErrorType() string { return string(r) }

// ReasonOf finds the reason that err or an error it wraps names by a method
// ErrorType() string. ok is false if there is none in the closed table.
func ReasonOf(err error) (r Reason, ok bool) {
	var typed interface {
		error
		ErrorType() string
	}
	if errors.As(err, &typed) {
		if i, known := reasonByCode[Reason(typed.ErrorType())]; known {
			return i.Reason, true
		}
	}
	return "", false
}

// closed returns r if it is in the table, and ReasonOther if not.
func (r Reason) closed() Reason { return r.Info().Reason }
