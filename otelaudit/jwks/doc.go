// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package jwks finds the keys that verify tokens in JWK sets (RFC 7517) fetched by
// HTTP, with MicahParks/keyfunc and jwkset, and audits how the sets change.
//
// [New] returns a keyfunc.Keyfunc. It says why there is no key for a token in the
// terms of otelaudit, emits an otelaudit.jwks.refresh event when keys were first
// fetched, changed or could not be fetched, and measures the fetches. A token with an
// unknown key id causes a refresh, but cannot make many, nor make others wait.
//
// With a keyfunc.Keyfunc made otherwise, [Reason] names the errors it can tell apart.
package jwks
