// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlp encodes records of the OpenTelemetry Logs API as OTLP, without generated messages in
// between, and frames them for a spool. A frame holds all that a request needs of its record: the spool outlives
// the process whose resource and scopes it names.
//
// The bytes mean what the stock exporter sends, with four differences: strings that are no UTF-8 are repaired, where
// the stock exporter fails with the whole batch; the number of attributes has no limit; the limit of depth
// holds for the body too; times that have no Unix nanoseconds are sent as unknown.
//
// The field numbers are those of opentelemetry-proto 1.11: logs/v1/logs.proto, common/v1/common.proto,
// resource/v1/resource.proto and collector/logs/v1/logs_service.proto.
package otlp
