// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package auditsdk is the delivery pipeline of otelaudit: what the stock batch processor is not.
//
//	pipeline, err := auditsdk.Start(ctx) // endpoint by OTEL_EXPORTER_OTLP_ENDPOINT
//	if err != nil { … }
//	defer pipeline.Close()
//
// # What it promises
//
// A record that was emitted is delivered at least once, or counted and told of: the queue never
// overwrites; a receiver that is down, resets connections, or answers 408, 429 or 5xx is tried again for as long as
// the pipeline lives, as is one that refuses the credentials or the path; a record that poisons its batch is found and
// rejected alone. A full queue makes an emit wait, then answers it by [otelaudit.Receipt], so that
// otelaudit.WithFailClosed works. Lost records are told of by an otelaudit.pipeline event once there is
// room again. [Stats] keeps the books.
//
// # What it does not promise
//
// The queue is in memory: what waits there is gone when the process is killed. Delivery is not
// exactly once: log.record.uid tells duplicates. After a partial success nobody knows which
// records were rejected, only how many.
package auditsdk

// ScopeName is the instrumentation scope of the pipeline's own metrics.
const ScopeName = "github.com/otelaudit/go/otelaudit/auditsdk"
