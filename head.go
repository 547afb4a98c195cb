// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"encoding/binary"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/protobuf/encoding/protowire"
)

// Head is what a record shares with others: its resource and its scope. It is a uvarint, as many bytes of fields of
// ResourceLogs, and fields of ScopeLogs. Records with equal heads may share them.
type Head []byte

// The fields of ResourceLogs and of ScopeLogs have the same numbers; so have their attributes in Resource (1) and
// InstrumentationScope (3), after name and version.
const (
	tagOwner   = 1<<3 | lengthed // resource, scope
	tagMembers = 2<<3 | lengthed // scope_logs, log_records
	tagSchema  = 3<<3 | lengthed // schema_url

	tagResourceAttributes = 1<<3 | lengthed
	tagScopeName          = 1<<3 | lengthed
	tagScopeVersion       = 2<<3 | lengthed
	tagScopeAttributes    = 3<<3 | lengthed
)

// NewHead encodes res and scope.
func NewHead(res *resource.Resource, scope instrumentation.Scope) Head {
	var owner, group []byte
	if res.Len() > 0 {
		owner = open(owner, tagOwner)
		start := len(owner)
		owner = seal(appendSet(owner, tagResourceAttributes, res.Iter()), start)
	}
	owner = appendOptional(owner, tagSchema, res.SchemaURL())
	if scope != (instrumentation.Scope{}) {
		group = open(group, tagOwner)
		start := len(group)
		group = appendOptional(group, tagScopeName, scope.Name)
		group = appendOptional(group, tagScopeVersion, scope.Version)
		group = seal(appendSet(group, tagScopeAttributes, scope.Attributes.Iter()), start)
		group = appendOptional(group, tagSchema, scope.SchemaURL)
	}
	head := binary.AppendUvarint(make(Head, 0, len(owner)+len(group)+2), uint64(len(owner)))
	return append(append(head, owner...), group...)
}

// Equal tells whether records with the heads h and other may share one.
func (h Head) Equal(other Head) bool { return bytes.Equal(h, other) }

func appendSet(b []byte, tag byte, attrs attribute.Iterator) []byte {
	for attrs.Next() {
		if kv := attrs.Attribute(); kv.Valid() {
			b = appendKeyValue(b, tag, &kv)
		}
	}
	return b
}

// split returns the fields of ResourceLogs and those of ScopeLogs.
func (h Head) split() (owner, group []byte, err error) {
	owner, group, err = cut(h)
	if err != nil {
		return nil, nil, err
	}
	for _, part := range [...][]byte{owner, group} {
		// A field 2 would smuggle in records.
		if err := eachField(part, func(num protowire.Number, typ protowire.Type) bool {
			return typ == protowire.BytesType && (num == 1 || num == 3)
		}); err != nil {
			return nil, nil, err
		}
	}
	return owner, group, nil
}
