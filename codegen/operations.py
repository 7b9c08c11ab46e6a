"""Paths and operations over HTTP -> resources with methods.

What `x-sdk` and the paths refer to must exist and have the right type; what does not is reported
where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from codegen.error_responses import Refusals
from codegen.ir import (
    Alias,
    Child,
    Deprecation,
    Download,
    Follow,
    Limits,
    Many,
    Operation,
    PagedThread,
    Paging,
    Param,
    Resource,
    Security,
    Translation,
    Upload,
)
from codegen.kinds import TypeRef
from codegen.naming import (
    BUILTIN_TYPES,
    attribute_of,
    binds_of,
    bound_at,
    class_name,
    constant,
    parent_of,
    root_of,
)
from codegen.schemas import Schemas, deprecation_of, field_name, kind_of
from codegen.spec import Call, path_names
from codegen.yaml_source import Node

__all__ = ["Operations"]


class Operations:
    """Builds the resources of an API."""

    def __init__(self, schemas: Schemas, refusals: Refusals) -> None:
        self._schemas = schemas
        self._spec = schemas.spec
        self._refusals = refusals
        self._declared = dict(self._spec.resources())
        self._calls = list(self._spec.calls())
        self._schemes: dict[str, Security] = {}

    def requests(self) -> list[Node]:
        """Return the schemas of all requests."""
        return [schema for call in self._calls if (schema := self._spec.request_schema(call))]

    def security(self) -> tuple[Security, ...]:
        """Return how the credentials are sent that any call carries."""
        return tuple(self._schemes.values())

    def resources(self) -> tuple[Resource, ...]:
        """Return all resources, in the order of the spec."""
        methods: dict[str, list[Operation]] = {address: [] for address in self._declared}
        credentials: dict[str, str] = {}
        for call in self._calls:
            address, security = call.address, self._security(call)
            if address not in self._declared:
                self._no_resource(call.sdk.get("resource"), address)
                continue
            root = root_of(address)
            if security:
                first = credentials.setdefault(root, security.credential)
                if first != security.credential:
                    text = (
                        f"calls of {root!r} carry a {first!r}, this one a {security.credential!r}"
                    )
                    call.node.wrong(text)
            methods[address] += self._methods(call, security)
        for call in self._calls:
            for was in call.sdk.get("was").each():
                address = was.text("resource") or call.address
                if address not in self._declared:
                    self._no_resource(was.get("resource"), address)
                elif self._binds(call, address, was.get("resource")):
                    methods[address].append(self._former(call, was, address))
        return tuple(
            self._resource(address, node, tuple(methods[address]), credentials)
            for address, node in self._declared.items()
        )

    def _no_resource(self, node: Node, address: str) -> None:
        if address:
            text = f"no resource {address!r} in x-sdk.resources"
            node.wrong(text, address, self._declared)

    def _resource(
        self,
        address: str,
        node: Node,
        operations: tuple[Operation, ...],
        credentials: Mapping[str, str],
    ) -> Resource:
        parent = parent_of(address)
        if parent and parent not in self._declared:
            node.wrong(f"no resource {parent!r} above it", parent, self._declared)
        below = [other for other in self._declared if parent_of(other) == address]
        handles = [other for other in below if binds_of(other)]
        for other in handles[1:]:
            text = f"{address!r} has a handle already: {handles[0]!r}"
            self._declared[other].wrong(text)
        names = [op.name for op in operations]
        return Resource(
            address=address,
            attribute=attribute_of(address),
            class_name=class_name(address, node),
            doc=node.text("doc"),
            parent=parent,
            binds=binds_of(address),
            bound=bound_at(address),
            id=self._id_of(address),
            row=self._row(address, node),
            handle=class_name(handles[0], self._declared[handles[0]]) if handles else "",
            handle_id=self._id_of(handles[0]) if handles else self._id_of(""),
            children=tuple(self._child(other) for other in below if not binds_of(other)),
            operations=operations,
            credential=credentials.get(root_of(address), "token"),
            hidden=tuple(name for name in BUILTIN_TYPES if name in names),
            deprecation=self._age(address),
            location=node.location,
        )

    def _child(self, address: str) -> Child:
        node = self._declared[address]
        return Child(
            attribute=attribute_of(address),
            class_name=class_name(address, node),
            doc=node.text("doc"),
            deprecation=self._age(address),
        )

    def _age(self, address: str) -> Deprecation:
        node, key = self._declared[address], "" if binds_of(address) else "name"
        name = class_name(address, node)
        return deprecation_of(node, node, key, attribute_of(address), name)

    def _id_of(self, address: str) -> TypeRef:
        ids, name = self._schemas.ids, binds_of(address)
        return ids.id_type(kind_of(name), is_number=ids.is_number(name))

    def _row(self, address: str, node: Node) -> str:
        """Return the class of the models that a handle takes, "" of what takes none."""
        name = node.text("row")
        if not name:
            return ""
        schema = self._spec.peek_schema(name)
        if not binds_of(address):
            node.get("row").wrong(f"{address!r} is no handle, so it has no row")
        elif not schema:
            names = self._spec.schema_names()
            node.get("row").wrong(f"no schema {name!r}", name, names)
        elif schema.peek("properties", "id", "type").value not in ("string", "integer"):
            node.get("row").wrong(f"{name!r} has no id, or one that is no string")
        return name

    def _methods(self, call: Call, security: Security | None) -> Iterator[Operation]:
        """Yield the method of a call, and the one that does the same for one thing."""
        operation = self._operation(call, security)
        yield operation
        single = call.sdk.get("single")
        if single:
            yield self._single(operation, single, call)

    def _operation(self, call: Call, security: Security | None) -> Operation:
        sdk, node = call.sdk, call.node
        node.strings("tags")
        self._check_path(call)
        params = self._params(call)
        answer = self._answer(call)
        result, read = self._result(call, answer)
        codes = self._refusals.of(call)
        self._refusals.check(sdk.get("errors"), codes)
        if sdk.get("none_on"):
            for other in ("paginate", "single", "upload", "download"):
                if sdk.peek(other):
                    sdk.get("none_on").wrong(f"'none_on' does not go with {other!r}")
        return Operation(
            const=constant(node.text("operationId")),
            name=sdk.text("method"),
            summary=node.text("summary") or _missing(node, "summary"),
            description=node.text("description"),
            verb=call.verb.upper(),
            path=call.path,
            path_argument=_path_argument(call, params),
            params=params,
            result=result,
            read=read,
            returns=self._returns(call) if answer else "",
            security=security,
            idempotency=self._idempotency(call),
            retry=not sdk.get("retry") or sdk.flag("retry"),
            generate=tuple(p.wire for p in params if p.generate),
            errors=(*sdk.strings("errors"), *(security.errors if security else ())),
            example=sdk.text("example"),
            paging=self._paging(call, answer) if sdk.get("paginate") else None,
            upload=self._upload(call, answer) if sdk.get("upload") else None,
            download=self._download(call, answer) if sdk.get("download") else None,
            follow=self._follow(call, answer) if sdk.get("follow") else None,
            none_on=_none_on(call),
            secrets=_secrets(call),
            is_former=False,
            deprecation=deprecation_of(node, sdk, "", sdk.text("method")),
            location=node.location,
        )

    def _former(self, call: Call, was: Node, address: str) -> Operation:
        """Return the old name of a method, which sends the same."""
        call = attrs.evolve(call, former=address)
        operation = self._operation(call, self._security(call))
        name, now = was.text("method") or operation.name, operation.name
        if was.get("resource"):
            now = f"{call.sdk.text('resource')}.{operation.name}"
        since, until = was.text("since"), was.text("until")
        alias = Alias(name=name, now=now, since=since, until=until, location=was.location)
        return attrs.evolve(
            operation,
            name=name,
            example="",
            paging=None,
            upload=None,
            download=None,
            follow=None,
            is_former=True,
            deprecation=Deprecation(deprecated=alias.notice, until=until, aliases=(alias,)),
            location=was.location,
        )

    def _single(self, operation: Operation, rule: Node, call: Call) -> Operation:
        fields = self._spec.request_schema(call).get("properties")
        items = self._field(rule, "items", self._answer(call), "array")
        field = _look_up(rule, "field", fields.mapping, "the request")
        if field and self._spec.without_null(fields.get(field)).peek("type").value != "array":
            rule.get("field").wrong(f"{field!r} is not a list")
        if call.sdk.peek("returns"):
            rule.wrong("'single' does not go with 'returns'")
        item = self._schemas.of(self._spec.resolve(items).get("items")) if items else None
        name, doc = rule.text("param"), rule.text("description")
        return attrs.evolve(
            operation,
            const=f"{operation.const}_FIRST",
            name=rule.text("method"),
            summary=rule.text("summary"),
            params=tuple(
                attrs.evolve(
                    param,
                    name=name,
                    type=param.type.parts[0],
                    limits=_of_items(param.limits),
                    is_one_of_many=True,
                    doc=doc,
                )
                if param.wire == field and param.type.parts
                else param
                for param in operation.params
            ),
            result=item,
            read=f'first_of("{rule.text("items")}", {item.reader if item else ""})',
            returns=rule.text("returns"),
            example=rule.text("example"),
            paging=None,
            follow=None,
            location=rule.location,
        )

    def _params(self, call: Call) -> tuple[Param, ...]:
        """Return the parameters: path values that its resource lacks, query, fields of the body."""
        bound = bound_at(call.address)
        positional = call.sdk.strings("positional")
        params: list[Param] = []
        for node in call.parameters:
            name, where = node.text("name"), node.text("in")
            required, schema = node.flag("required"), node.get("schema")
            if where not in ("path", "query", "header"):
                node.wrong(f"a parameter in {where!r} is not supported")
            elif where == "path" and name in bound:
                self._schemas.param(
                    name, where, schema, required=True, doc=node.text("description")
                )
            else:
                params.append(
                    self._schemas.param(
                        name,
                        where,
                        schema,
                        required=required,
                        positional=positional,
                        doc=node.text("description"),
                        declared=node,
                    )
                )
        request = self._spec.request_schema(call)
        if call.node.get("requestBody") and not request.get("properties"):
            call.node.get("requestBody").wrong("a request must be an object with fields")
        params += self._schemas.fields_of(request, "body", positional)
        declared = {node.text("name"): node.get("schema") for node in call.parameters}
        declared |= dict(request.get("properties").items())
        params = [p for param in params for p in self._translated(call, param, declared)]
        names = [param.name for param in params]
        for node in call.sdk.get("positional").each():
            if str(node.value) not in names:
                node.wrong(f"no parameter {node.value!r}", str(node.value), names)
        return tuple(
            sorted(
                params,
                key=lambda p: positional.index(p.name) if p.positional else len(positional),
            )
        )

    def _translated(
        self, call: Call, param: Param, declared: Mapping[str, Node]
    ) -> Iterator[Param]:
        """Yield a parameter, and the one that can be passed in its place, if there is one."""
        rule = self._spec.sdk(declared[param.wire], "schema").get("translate")
        if not rule:
            yield param
            return
        for other in ("paginate", "upload"):
            if call.sdk.peek(other):
                rule.wrong(f"'translate' does not go with {other!r}")
        if call.sdk.peek("single", "field").value == param.wire:
            rule.wrong("'translate' does not go with 'single' of the same field")
        plain = param.type.parts[0] if param.type.parts else param.type
        if plain.kind not in ("id", "string", "segment") or param.type.kind in ("map", "union"):
            rule.wrong(f"{param.name!r} is neither a string nor a list of strings")
        lists = {call.node.peek("operationId").value: call for call in self._calls}
        through = lists.get(_look_up(rule, "through", map(str, lists), "the operations"))
        answer = self._whole_list(call, through, rule) if through else rule.peek("nothing")
        page = self._schemas.of(answer).result if answer else ""
        fields = self._spec.peek_schema(self._schemas.page_item(answer)).peek("properties")
        for key in ("from", "to") if fields else ():
            name = _look_up(rule, key, fields.mapping, "the items")
            if name and self._spec.without_null(fields.peek(name)).peek("type").value != "string":
                rule.get(key).wrong(f"{name!r} is not a string")
        known = fields.peek(rule.text("from"))
        type_ = self._schemas.argument(rule.text("from"), known, "body") if known else plain
        name = rule.text("param")
        yield attrs.evolve(param, required=False)
        yield attrs.evolve(
            param,
            name=name,
            where="list",
            type=attrs.evolve(param.type, parts=(type_,)) if param.type.parts else type_,
            required=False,
            positional=False,
            generate=False,
            doc=rule.text("description"),
            deprecation=deprecation_of(rule, rule, now=name),
            location=rule.location,
            translation=Translation(
                const=f"{constant(call.node.text('operationId'))}_{name.upper()}",
                target=param.name,
                is_needed=param.required,
                is_list=bool(param.type.parts),
                endpoint=constant(rule.text("through")),
                method=through.sdk.text("method") if through else "",
                page=page,
                items="data",
                known=field_name(known),
                wanted=field_name(fields.peek(rule.text("to"))),
            ),
        )

    def _whole_list(self, call: Call, through: Call, rule: Node) -> Node:
        """Return the page that an operation returns for the same values of the path."""
        place = rule.get("through")
        unknown = set(path_names(through.path)) - {*bound_at(call.address)}
        needed = [p for p in through.parameters if p.text("in") != "path" and p.flag("required")]
        if unknown or needed or through.node.peek("requestBody"):
            place.wrong("it needs more than the values of the path that are known here")
        if through.sdk.peek("paginate") or through.sdk.peek("returns"):
            place.wrong("it does not return the whole list at once")
        answer = self._spec.without_null(self._answer(through))
        if not self._schemas.page_item(answer):
            place.wrong("it returns no list of objects")
        return answer

    def _check_path(self, call: Call) -> None:
        declared = [p.text("name") for p in call.parameters if p.text("in") == "path"]
        if not call.path.startswith("/"):
            call.node.wrong(f"the path {call.path!r} must begin with a slash")
        for name in path_names(call.path):
            if name not in declared:
                text = f"no parameter for {{{name}}} of the path"
                call.node.wrong(text, name, declared)
        for node in call.parameters:
            name = node.text("name")
            if node.text("in") == "path":
                if name not in path_names(call.path):
                    node.wrong(f"{name!r} is not in the path {call.path!r}")
                if not node.flag("required"):
                    node.wrong(f"{name!r} is in the path, so it is required")
        self._binds(call, call.address, call.sdk.get("resource"))

    def _binds(self, call: Call, address: str, node: Node) -> bool:
        missing = [name for name in bound_at(address) if name not in path_names(call.path)]
        for name in missing:
            node.wrong(f"{address!r} binds {name!r}, which is not in {call.path!r}")
        return not missing

    def _security(self, call: Call) -> Security | None:
        schemes = self._spec.rest.get("components", "securitySchemes")
        security = call.node.get("security")
        security = security if security else self._spec.rest.get("security")
        names = [pair for one in security.each() for pair in one.items()]
        if len(names) != 1:
            (security if security else call.node).wrong("needs exactly one security")
            return None
        name, node = names[0]
        scheme = schemes.get(name)
        if not scheme:
            node.wrong(f"no security scheme {name!r}", name, schemes.mapping)
            return None
        if name not in self._schemes:
            self._schemes[name] = self._scheme(scheme)
        return self._schemes[name]

    def _scheme(self, node: Node) -> Security:
        node.text("description")
        node.text("bearerFormat")
        sdk = self._spec.sdk(node, "securityScheme")
        if not sdk.text("credential"):
            node.wrong("x-sdk.credential is missing")
        type_, name = node.text("type"), ""
        scheme = node.text("scheme") if type_ == "http" else node.text("in")
        if (type_, scheme) in (("apiKey", "header"), ("apiKey", "query")):
            name = node.text("name") or _missing(node, "name")
        elif (type_, scheme) not in (("http", "bearer"), ("http", "basic")):
            node.wrong(f"security of type {type_!r} with {scheme!r} is not supported")
        return Security(
            credential=sdk.text("credential"),
            scheme=scheme,
            name=name,
            errors=tuple(sdk.strings("errors")),
            location=node.location,
        )

    def _idempotency(self, call: Call) -> str:
        policy = self._spec.root_sdk.get("idempotency")
        header, verbs = policy.text("header"), policy.strings("for")
        opted_out = bool(call.sdk.get("idempotency"))
        return header if call.verb.upper() in verbs and not opted_out else ""

    def _answer(self, call: Call) -> Node:
        """Return the schema of the 2xx responses, unresolved; absent when they have no content."""
        schemas: list[Node] = []
        for answer in self._spec.answers(call):
            answer.text("description")
            schemas.append(answer.get("content", "application/json", "schema"))
        if not schemas:
            call.node.get("responses").wrong("no 2xx response")
            return call.node.peek("no answer")
        for schema in schemas[1:]:
            if schema.value != schemas[0].value:
                schema.wrong("differs from the other 2xx response")
            schema.take()
        return schemas[0]

    def _returns(self, call: Call) -> str:
        """Return what the last answer is: the others are the odd ones."""
        return [answer.text("description") for answer in self._spec.answers(call)][-1]

    def _result(self, call: Call, answer: Node) -> tuple[TypeRef | None, str]:
        """Return the type of what the method returns, and the expression that reads it."""
        type_ = self._schemas.of(answer) if answer else None
        read = type_.reader if type_ else "read_nothing"
        returned = call.sdk.get("returns")
        if returned:
            name = str(returned.value)
            fields = self._fields(answer)
            if name not in fields.mapping:
                returned.wrong(f"no field {name!r} in the answer", name, fields.mapping)
            type_ = self._schemas.of(fields.get(name))
            read = f"lambda value: {read}(value).{field_name(fields.peek(name))}"
        if _none_on(call) and type_:
            return type_.null, read if type_.nullable else f"nullable({read})"
        return type_, read

    def _fields(self, schema: Node) -> Node:
        return self._spec.without_null(schema).peek("properties")

    def _attribute(self, rule: Node, key: str, schema: Node) -> str:
        """Return what a field of a response that a rule names is called in Python."""
        return field_name(self._fields(schema).peek(rule.text(key)))

    def _field(self, rule: Node, key: str, schema: Node, type_: str) -> Node:
        """Return the field of a response that a rule names, absent if it is of another type."""
        fields = self._fields(schema)
        # For a missing response, that is reported already.
        name = _look_up(rule, key, fields.mapping, "the answer") if fields else ""
        field = self._spec.without_null(fields.peek(name))
        words = {"array": "is not a list", "integer": "is not an integer"}
        if field and field.peek("type").value != type_:
            rule.get(key).wrong(f"{name!r} {words[type_]}")
            return fields.peek("nothing")
        return field

    def _item(self, rule: Node, answer: Node) -> Node:
        """Return the schema of the items of a page."""
        items = self._field(rule, "items", answer, "array")
        return self._spec.without_null(items.peek("items"))

    def _paging(self, call: Call, answer: Node) -> Paging:
        rule = call.sdk.get("paginate")
        if call.sdk.peek("returns") or call.node.peek("requestBody"):
            rule.wrong("'paginate' goes with neither 'returns' nor a request body")
        item = self._item(rule, answer)
        query = [p.text("name") for p in call.parameters if p.text("in") == "query"]
        _look_up(rule, "cursor", query, "the query")
        by, following = rule.text("by"), rule.text("next")
        if bool(by) == bool(following):
            rule.wrong("'paginate' needs either 'by' with 'order', or 'next'")
        if following:
            _look_up(rule, "next", self._fields(answer).mapping, "the answer")
        if by and not rule.get("order"):
            rule.wrong("'paginate' by a field of the items needs an 'order'")
        fields = item.peek("properties")
        if by and fields and _look_up(rule, "by", fields.mapping, "the items"):
            type_ = self._spec.without_null(fields.peek(by)).peek("type").value
            if fields.peek(by) and type_ != "integer":
                rule.get("by").wrong(f"{by!r} is not an integer")
        name, method = call.sdk.text("method"), rule.text("method") or "iter"
        return Paging(
            const=f"{constant(call.node.text('operationId'))}_PAGES",
            method=method,
            page=self._schemas.of(answer).result,
            item=item.key,
            items=self._attribute(rule, "items", answer),
            cursor=rule.text("cursor"),
            by=field_name(fields.peek(by)) if by else "",
            next=self._attribute(rule, "next", answer) if following else "",
            descending=rule.text("order") == "desc",
            thread=self._paged_thread(rule, fields) if rule.get("thread") else None,
            example=call.sdk.text("example").replace(f".{name}(", f".{method}("),
        )

    def _paged_thread(self, paginate: Node, fields: Node) -> PagedThread | None:
        """Build what the items of a list leave out: the pages of the replies to each."""
        rule = paginate.get("thread")
        if paginate.text("order") != "desc":
            rule.wrong("'thread' needs the order 'desc'")
        lists = {one.node.text("operationId"): one for one in self._calls if one.verb == "get"}
        replies = lists.get(_look_up(rule, "operation", map(str, lists), "the operations"))
        for key, wanted in (("id", "string"), ("count", "integer")):
            name = _look_up(rule, key, fields.mapping, "the items")
            if name and self._spec.without_null(fields.peek(name)).peek("type").value != wanted:
                rule.get(key).wrong(f"{name!r} is not of the type {wanted}")
        if replies is None:
            return None
        names = path_names(replies.path)
        if len(names) != 1 or replies.sdk.peek("paginate", "order").value != "asc":
            place = rule.get("operation")
            place.wrong("replies need a list with one path value, paged in the order 'asc'")
        return PagedThread(
            const=f"{constant(replies.node.text('operationId'))}_PAGES",
            path=names[0] if names else "",
            id=field_name(fields.peek(rule.text("id"))),
            count=field_name(fields.peek(rule.text("count"))),
        )

    def _follow(self, call: Call, answer: Node) -> Follow:
        rule, address = call.sdk.get("follow"), call.sdk.text("resource")
        parent = parent_of(address)
        if call.sdk.peek("paginate", "order").value != "desc":
            rule.wrong("'follow' needs 'paginate' with the order 'desc'")
        if not binds_of(parent):
            rule.wrong("'follow' needs a resource that belongs to a handle")
        reply = rule.text("reply")
        siblings = (one.sdk for one in self._calls if one.sdk.text("resource") == address)
        if reply and reply not in [one.text("method") for one in siblings]:
            rule.get("reply").wrong(f"{address} has no method {reply!r}")
        return Follow(
            method=rule.text("method"),
            summary=rule.text("summary"),
            key=binds_of(parent),
            row=self._item(call.sdk.get("paginate"), answer).key,
            handle=class_name(parent, self._spec.root_sdk.peek("resources", parent)),
            reply=reply,
            example=rule.text("example"),
        )

    def _upload(self, call: Call, answer: Node) -> Upload:
        """Build the method that uploads a file: it fills all required fields of the request."""
        rule, request = call.sdk.get("upload"), self._spec.request_schema(call)
        if path_names(call.path):
            rule.wrong("'upload' needs a path without values")
        keys = ("content_type", "size", "filename")
        fields = request.get("properties").mapping
        named = [_look_up(rule, key, fields, "the request") for key in keys]
        for name in request.strings("required"):
            if name not in named:
                rule.wrong(f"'upload' does not fill the required field {name!r}")
        given = self._fields(answer)
        target, result = (
            _look_up(rule, key, given.mapping, "the answer") for key in ("target", "result")
        )
        place = [field_name(one) for one in self._fields(given.peek(target)).children()]
        for name in ("url", "method", "headers"):
            if place and name not in place:
                rule.get("target").wrong(f"a place to upload to needs {name!r}")
        many = rule.get("many")
        return Upload(
            const=f"{constant(call.node.text('operationId'))}_BYTES",
            method=rule.text("method"),
            summary=rule.text("summary"),
            answer=self._schemas.of(answer).result,
            target=self._attribute(rule, "target", answer),
            result=self._attribute(rule, "result", answer),
            result_type=self._schemas.of(given.peek(result)),
            content_type=named[0],
            size=named[1],
            filename=named[2],
            example=rule.text("example"),
            many=Many(
                method=many.text("method"),
                summary=many.text("summary"),
                example=many.text("example"),
            )
            if many
            else None,
        )

    def _download(self, call: Call, answer: Node) -> Download:
        """Build the method that downloads a file, whose URL, size and hash it names."""
        rule, address = call.sdk.get("download"), call.sdk.text("resource")
        row = self._spec.root_sdk.peek("resources", address, "row")
        if not row:
            text = f"'download' needs a resource with a row, which {address!r} is not"
            rule.wrong(text)
        taken = {parameter.text("name") for parameter in call.parameters}
        if taken - {*bound_at(address)} or call.node.peek("requestBody"):
            rule.wrong("'download' needs a method without parameters")
        _look_up(rule, "url", self._fields(answer).mapping, "the answer")
        fields = self._spec.peek_schema(str(row.value)).peek("properties")
        for key, type_ in (("size", "integer"), ("sha256", "string")):
            if row and _look_up(rule, key, fields.mapping, "the row"):
                declared = self._spec.without_null(fields.peek(rule.text(key))).peek("type")
                if declared and type_ not in (
                    declared.value,
                    *(one.value for one in declared.children()),
                ):
                    rule.get(key).wrong(f"{rule.text(key)!r} is no {type_}")
        return Download(
            const=f"{constant(call.node.text('operationId'))}_BYTES",
            method=rule.text("method"),
            summary=rule.text("summary"),
            answer=self._schemas.of(answer).result,
            url=self._attribute(rule, "url", answer),
            row=str(row.value),
            size=field_name(fields.peek(rule.text("size"))),
            sha256=field_name(fields.peek(rule.text("sha256"))),
            example=rule.text("example"),
        )


def _path_argument(call: Call, params: Iterable[Param]) -> str:
    """Return the expression that gives the values of the path, or ""."""
    own = [f'"{p.wire}": {p.name}' for p in params if p.where == "path"]
    if not own:
        return "self._path" if path_names(call.path) else ""
    return "{" + ", ".join([*(["**self._path"] if bound_at(call.address) else []), *own]) + "}"


def _of_items(limits: Limits) -> Limits:
    """Return the limits of the items of a list."""
    return tuple((k.removeprefix("items "), v) for k, v in limits if k.startswith("items "))


def _none_on(call: Call) -> tuple[int, ...]:
    return tuple(int(str(one.value)) for one in call.sdk.get("none_on").each())


def _secrets(call: Call) -> tuple[str, ...]:
    paths = (node for node in call.parameters if node.text("in") == "path")
    return tuple(node.text("name") for node in paths if node.get("schema", "x-sdk").flag("secret"))


def _missing(node: Node, key: str) -> str:
    node.wrong(f"{key!r} is missing")
    return ""


def _look_up(rule: Node, key: str, fields: Iterable[str], where: str) -> str:
    """Return the name that a key of a rule gives, which must be one of the fields."""
    name, fields = rule.text(key), list(fields)
    if name and name not in fields:
        rule.get(key).wrong(f"no {name!r} in {where}", name, fields)
    return name
