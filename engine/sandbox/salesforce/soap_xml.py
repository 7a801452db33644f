"""SOAP envelopes: requests read without entities or document types, answers written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

__all__ = [
    "Call",
    "Fault",
    "Raw",
    "Record",
    "call_of",
    "envelope",
    "fault",
    "parts_of",
    "record_in",
    "root_of",
    "xml",
]

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_METADATA = "http://soap.sforce.com/2006/04/metadata"
_NIL, _TYPE = f"{{{_XSI}}}nil", f"{{{_XSI}}}type"


class Fault(Exception):
    """A call that is refused as a whole."""

    def __init__(self, code: str, message: str, kind: str = "ApiFault") -> None:
        super().__init__(message)
        self.code, self.message, self.kind = code, message, kind


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its name, what stands in its header, and its arguments as an element."""

    name: str
    header: Mapping[str, Any]
    element: Any

    def arguments(self) -> dict[str, Any]:
        """The arguments by name; one that is given several times is a list."""
        found = _value(self.element)
        return found if isinstance(found, dict) else {}

    def all(self, name: str) -> list[Any]:
        """Every value of an argument."""
        return [_value(each) for each in self.elements(name)]

    def elements(self, name: str) -> list[Any]:
        """Every element of an argument."""
        return [each for each in self.element if _name(each) == name]


def root_of(raw: bytes) -> Any:
    """The outermost element, read without entities and document types. Raises `Fault`."""
    reader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(raw, reader)
    except etree.XMLSyntaxError as error:
        raise Fault("soapenv:Client", f"The request is no XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise Fault("soapenv:Client", "The request may not have a document type")
    return root


def call_of(raw: bytes) -> Call:
    """The call in an envelope. Raises `Fault`."""
    root = root_of(raw)
    parts = {_name(child): child for child in root if isinstance(child.tag, str)}
    body = parts.get("Body")
    if _name(root) != "Envelope" or body is None or len(body) != 1:
        raise Fault("soapenv:Client", "The request is no SOAP envelope with one call")
    header = _value(parts["Header"]) if "Header" in parts else {}
    return Call(_name(body[0]), header if isinstance(header, dict) else {}, body[0])


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def parts_of(element: Any) -> list[tuple[str, Any]]:
    """The elements within another, each with its name."""
    return [(name, each) for each in element if (name := _name(each))]


def _value(element: Any) -> Any:
    """Nothing, a text, or the children by name."""
    if element.get(_NIL) in ("true", "1"):
        return None
    found: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _value(child)
        if not name:
            continue
        if name in found:
            known = found[name]
            found[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            found[name] = value
    return found or element.text or ""


@dataclass(frozen=True, slots=True)
class Record:
    """A record in a call: its type, its id if it has one, and its fields as text or nothing."""

    type: str
    id: str | None
    fields: dict[str, Any]


def record_in(element: Any) -> Record:
    """The record that an element is, of the partner or the enterprise kind."""
    name = (element.get(_TYPE) or "").rpartition(":")[2]
    record, fields = None, dict[str, Any]()
    for child in element:
        value = _value(child)
        match _name(child):
            case "":
                continue
            case "type":
                name = str(value)
            case "Id" | "id":
                record = value or None
            case "fieldsToNull":
                fields[str(value)] = None
            case field:
                fields[field] = value
    return Record(name, record, fields)


# -- answers ------------------------------------------------------------------------------------


class Raw(str):
    """A piece of XML that is ready."""

    __slots__ = ()


def xml(name: str, value: Any, kind: str = "") -> str:
    """A value as elements of a name: several for a list, with children for a dictionary."""
    if isinstance(value, list | tuple):
        return "".join(xml(name, each, kind) for each in value)
    typed = f" xsi:type={quoteattr(kind)}" if kind else ""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, dict):
        inner = "".join(xml(key, each) for key, each in value.items())
    elif isinstance(value, Raw):
        inner = value
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{name}{typed}>{inner}</{name}>"


def envelope(body: str, namespace: str, header: str = "") -> bytes:
    """An answer; `namespace` is `partner`, `enterprise` or `metadata`."""
    head = f"<soapenv:Header>{header}</soapenv:Header>" if header else ""
    own, objects = f"urn:{namespace}.soap.sforce.com", f"urn:sobject.{namespace}.soap.sforce.com"
    if namespace == "metadata":
        own = objects = _METADATA
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"'
        f' xmlns="{own}" xmlns:sf="{objects}" xmlns:xsi="{_XSI}">'
        f"{head}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def fault(error: Fault, namespace: str) -> bytes:
    """The answer to a call that is refused."""
    code = error.code if ":" in error.code else f"sf:{error.code}"
    plain = error.code.rpartition(":")[2]
    space = f"urn:fault.{namespace}.soap.sforce.com"
    if namespace == "metadata":
        space = _METADATA
    text = escape(f"{plain}: {error.message}")
    detail = (
        f'<detail><sf:{error.kind} xsi:type="sf:{error.kind}"><sf:exceptionCode>{escape(plain)}'
        f"</sf:exceptionCode><sf:exceptionMessage>{escape(error.message)}</sf:exceptionMessage>"
        f"</sf:{error.kind}></detail>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"'
        f' xmlns:sf="{space}" xmlns:xsi="{_XSI}"><soapenv:Body>'
        f"<soapenv:Fault><faultcode>{escape(code)}</faultcode><faultstring>{text}</faultstring>"
        f"{detail}</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    ).encode()
