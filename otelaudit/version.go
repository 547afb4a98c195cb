// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

// ScopeName is the instrumentation scope of everything this package emits.
const ScopeName = "github.com/otelaudit/go/otelaudit"

// Version is the version of this package, reported as the scope's version.
const Version = "0.1.0"

// SchemaURL names the version of the semantic conventions in registry/ that
// the emitted records follow.
const SchemaURL = "https://otelaudit.github.io/schemas/0.1.0"
