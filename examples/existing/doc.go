// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package existing holds the same small service twice: before and after it was
// instrumented with otelaudit. Its test counts the changed lines.
package existing
