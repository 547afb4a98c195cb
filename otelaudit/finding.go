// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import "slices"

// Finding is a stable code for what is suspicious about a token beside its verdict:
// above all what golang-jwt accepts and RFC 8725 does not. Findings are
// observations; they change a result only if [WithEnforcedFindings] names them. Each code is that
// of a [Reason] too: the one that it becomes when it is enforced.
type Finding string

// The findings.
const (
	FindingAlgNone             Finding = "alg_none"
	FindingAlgKeyConfusion     Finding = "alg_key_confusion"
	FindingWeakHMACKey         Finding = "weak_hmac_key"
	FindingWeakRSAKey          Finding = "weak_rsa_key"
	FindingCurveMismatch       Finding = "curve_mismatch"
	FindingTokenOversize       Finding = "token_oversize"
	FindingJWEUnexpected       Finding = "jwe_unexpected"
	FindingBase64Noncanonical  Finding = "base64_noncanonical"
	FindingInvalidUTF8         Finding = "invalid_utf8"
	FindingJSONDuplicateMember Finding = "json_duplicate_member"
	FindingJSONTrailingData    Finding = "json_trailing_data"
	FindingMalformedClaims     Finding = "malformed_claims"
	FindingKidInjection        Finding = "kid_injection"
	FindingKidOversize         Finding = "kid_oversize"
	FindingKidNotString        Finding = "kid_not_string"
	FindingHeaderJWK           Finding = "header_jwk"
	FindingHeaderJKU           Finding = "header_jku"
	FindingHeaderX5U           Finding = "header_x5u"
	FindingHeaderX5C           Finding = "header_x5c"
	FindingCritUnsupported     Finding = "crit_unsupported"
	FindingB64Unencoded        Finding = "b64_unencoded"
	FindingExpMissing          Finding = "exp_missing"
	FindingExpZero             Finding = "exp_zero"
	FindingLifetimeExcessive   Finding = "lifetime_excessive"
	FindingIssuedInFuture      Finding = "issued_in_future"
	FindingClaimNameVariant    Finding = "claim_name_variant"
	FindingClaimType           Finding = "claim_type"
	FindingClaimOutOfRange     Finding = "claim_out_of_range"
	FindingContextChanged      Finding = "context_changed"
	FindingStoreUnavailable    Finding = "store_unavailable"
)

// FindingInfo is one row of the closed table.
type FindingInfo struct {
	Finding Finding
	Class   Class
	// Brief is one sentence for people.
	Brief string
}

var findingTable = []FindingInfo{
	{FindingAlgNone, ClassAttack, "A token without a signature was accepted."},
	{FindingAlgKeyConfusion, ClassAttack, "An HMAC was verified with a public key, which anyone knows, so anyone can have made the token."},
	{FindingWeakHMACKey, ClassSuspicious, "The HMAC key is shorter than the hash, so it can be guessed offline."},
	{FindingWeakRSAKey, ClassSuspicious, "The RSA key has less than 2048 bits or an exponent of 1."},
	{FindingCurveMismatch, ClassSuspicious, "The curve of the key is not the one of the algorithm."},
	{FindingTokenOversize, ClassSuspicious, "The token is longer than MaxTokenSize."},
	{FindingJWEUnexpected, ClassSuspicious, "The header of a signed token has the enc parameter of an encrypted one."},
	{FindingBase64Noncanonical, ClassSuspicious, "A segment is not the one canonical base64url spelling of its bytes."},
	{FindingInvalidUTF8, ClassSuspicious, "The header or the claims hold text that is not valid Unicode."},
	{FindingJSONDuplicateMember, ClassSuspicious, "An object of the header or the claims names a member twice; golang-jwt took the last."},
	{FindingJSONTrailingData, ClassSuspicious, "Something follows the claims object, and golang-jwt ignored it."},
	{FindingMalformedClaims, ClassSuspicious, "The payload is null, which golang-jwt takes for no claims."},
	{FindingKidInjection, ClassAttack, "The key id holds a path, query, command or control character."},
	{FindingKidOversize, ClassSuspicious, "The key id is longer than any honest key id."},
	{FindingKidNotString, ClassSuspicious, "The key id is not a string."},
	{FindingHeaderJWK, ClassSuspicious, "The header brings its own key; the service verified with another."},
	{FindingHeaderJKU, ClassSuspicious, "The header names a place to fetch keys from."},
	{FindingHeaderX5U, ClassSuspicious, "The header names a place to fetch certificates from."},
	{FindingHeaderX5C, ClassSuspicious, "The header brings its own certificates."},
	{FindingCritUnsupported, ClassSuspicious, "The header demands an extension, and golang-jwt knows none."},
	{FindingB64Unencoded, ClassSuspicious, "The header says that the payload is not base64url-encoded."},
	{FindingExpMissing, ClassSuspicious, "The token never expires."},
	{FindingExpZero, ClassSuspicious, "The exp is zero, which golang-jwt takes for none."},
	{FindingLifetimeExcessive, ClassSuspicious, "The token lives longer than the limit."},
	{FindingIssuedInFuture, ClassSuspicious, "The iat lies in the future, and the parser does not check it."},
	{FindingClaimNameVariant, ClassSuspicious, "A member is spelled like a registered name in another case, so parsers disagree on it."},
	{FindingClaimType, ClassSuspicious, "A date is a string instead of a number."},
	{FindingClaimOutOfRange, ClassSuspicious, "A date is negative or beyond the year 9999."},
	{FindingContextChanged, ClassSuspicious, "The token is used from another address or by another agent than at first."},
	{FindingStoreUnavailable, ClassFault, "The store could not be asked, and the parser is to go on without it."},
}

// Findings returns the closed table. The caller owns the slice.
func Findings() []FindingInfo { return append([]FindingInfo(nil), findingTable...) }

var findingByCode = func() map[Finding]*FindingInfo {
	m := make(map[Finding]*FindingInfo, len(findingTable))
	for i := range findingTable {
		m[findingTable[i].Finding] = &findingTable[i]
	}
	return m
}()

// Class is the severity class of f. Evidence beside a verified signature weighs less
// than the same in a forged token.
func (f Finding) Class() Class {
	if i, ok := findingByCode[f]; ok {
		return i.Class
	}
	return ClassSuspicious
}

// Reason is what f becomes when it is enforced.
func (f Finding) Reason() Reason { return Reason(f).closed() }

// findings is a set, in the order of discovery.
type findings []Finding

func (s *findings) add(f Finding) {
	if f != "" && !slices.Contains(*s, f) {
		*s = append(*s, f)
	}
}
