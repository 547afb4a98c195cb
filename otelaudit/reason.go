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

	ReasonMalformedSegments   Reason = "malformed_segments"
	ReasonMalformedHeader     Reason = "malformed_header"
	ReasonMalformedClaims     Reason = "malformed_claims"
	ReasonMalformedSignature  Reason = "malformed_signature"
	ReasonJWEUnexpected       Reason = "jwe_unexpected"
	ReasonBase64Noncanonical  Reason = "base64_noncanonical"
	ReasonInvalidUTF8         Reason = "invalid_utf8"
	ReasonJSONDuplicateMember Reason = "json_duplicate_member"
	ReasonJSONTrailingData    Reason = "json_trailing_data"

	ReasonAlgNone         Reason = "alg_none"
	ReasonAlgMissing      Reason = "alg_missing"
	ReasonAlgUnknown      Reason = "alg_unknown"
	ReasonAlgNotAllowed   Reason = "alg_not_allowed"
	ReasonAlgKeyConfusion Reason = "alg_key_confusion"
	ReasonAlgJWKMismatch  Reason = "alg_jwk_mismatch"
	ReasonCurveMismatch   Reason = "curve_mismatch"
	ReasonKeyUseInvalid   Reason = "key_use_invalid"
	ReasonWeakHMACKey     Reason = "weak_hmac_key"
	ReasonWeakRSAKey      Reason = "weak_rsa_key"

	ReasonSignatureInvalid      Reason = "signature_invalid"
	ReasonSignatureStripped     Reason = "signature_stripped"
	ReasonSignatureZero         Reason = "signature_zero"
	ReasonKidUnknown            Reason = "kid_unknown"
	ReasonKidUnknownRateLimited Reason = "kid_unknown_rate_limited"
	ReasonKidInjection          Reason = "kid_injection"
	ReasonKidOversize           Reason = "kid_oversize"
	ReasonKidNotString          Reason = "kid_not_string"
	ReasonHeaderJWK             Reason = "header_jwk"
	ReasonHeaderJKU             Reason = "header_jku"
	ReasonHeaderX5U             Reason = "header_x5u"
	ReasonHeaderX5C             Reason = "header_x5c"
	ReasonCritUnsupported       Reason = "crit_unsupported"
	ReasonB64Unencoded          Reason = "b64_unencoded"
	ReasonTypeMismatch          Reason = "type_mismatch"

	ReasonExpired           Reason = "expired"
	ReasonExpMissing        Reason = "exp_missing"
	ReasonExpZero           Reason = "exp_zero"
	ReasonLifetimeExcessive Reason = "lifetime_excessive"
	ReasonNotYetValid       Reason = "not_yet_valid"
	ReasonIssuedInFuture    Reason = "issued_in_future"
	ReasonIssuerMismatch    Reason = "issuer_mismatch"
	ReasonAudienceMismatch  Reason = "audience_mismatch"
	ReasonSubjectMismatch   Reason = "subject_mismatch"
	ReasonClaimMissing      Reason = "claim_missing"
	ReasonClaimType         Reason = "claim_type"
	ReasonClaimNameVariant  Reason = "claim_name_variant"
	ReasonClaimOutOfRange   Reason = "claim_out_of_range"
	ReasonClaimsCustom      Reason = "claims_custom"
	ReasonTokenRevoked      Reason = "token_revoked"
	ReasonTokenReplayed     Reason = "token_replayed"
	ReasonContextChanged    Reason = "context_changed"

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
