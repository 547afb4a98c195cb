// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

// Finding is a stable code for what is suspicious about something that was
// accepted. Findings are observations: they never change a result.
type Finding string

// The findings.
const (
	// FindingAlgNone: a token without a signature was accepted.
	FindingAlgNone Finding = "alg_none"
	// FindingAlgKeyConfusion: an HMAC was verified with a public key, which
	// anyone knows, so anyone can have made the token.
	FindingAlgKeyConfusion Finding = "alg_key_confusion"
	// FindingTokenOversize: the token is longer than [MaxTokenSize].
	FindingTokenOversize Finding = "token_oversize"
)

// Findings returns the closed set. The caller owns the slice.
func Findings() []Finding {
	return []Finding{FindingAlgNone, FindingAlgKeyConfusion, FindingTokenOversize}
}

// Class is the severity class of f.
func (f Finding) Class() Class {
	switch f {
	case FindingAlgNone, FindingAlgKeyConfusion:
		return ClassAttack
	default:
		return ClassSuspicious
	}
}
