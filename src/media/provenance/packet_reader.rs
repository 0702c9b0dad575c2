//! What an XMP packet says, whichever of RDF's spellings it uses.
//!
//! Packets come with files from anywhere: this reads them as a stream, and gives up on those that nest or declare more than any
//! program has reason to.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{LocalName, Namespace, NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;

use crate::media::provenance::note::Found;
use crate::media::provenance::packet::{DC, EVENT, HISTORY, IPTC, PHOTOSHOP, RDF, XMP};

/// Elements within elements; structures of large histories reach a dozen.
const MOST_DEEP: usize = 32;

/// Elements in all, each of which is looked up among the namespaces; long histories have thousands.
const MOST_ELEMENTS: usize = 200_000;

/// Namespaces that one element declares; editors declare some 20.
const MOST_NAMESPACES: usize = 64;

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Property {
    Source,
    Software,
    Credit,
    Description,
    History,
    /// Of an event in the history.
    Agent,
    Parameters,
}

/// An element, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Rdf,
    /// A description of the whole file; there may be several.
    Top,
    Property(Property),
    /// One of a property's list.
    Item(Property),
    Other,
}

/// A name, as `(namespace, local name)`.
type Name<'a> = (&'a str, &'a str);

fn property(name: Name<'_>) -> Option<Property> {
    Some(match name {
        (IPTC, "DigitalSourceType") => Property::Source,
        (XMP, "CreatorTool") => Property::Software,
        (PHOTOSHOP, "Credit") => Property::Credit,
        (DC, "description") => Property::Description,
        (HISTORY, "History") => Property::History,
        _ => return None,
    })
}

fn event_property(name: Name<'_>) -> Option<Property> {
    Some(match name {
        (EVENT, "softwareAgent") => Property::Agent,
        (EVENT, "parameters") => Property::Parameters,
        _ => return None,
    })
}

/// What an element is within its parent.
fn tag(parent: Tag, name: Name<'_>) -> Tag {
    let found = match (parent, name) {
        (Tag::Other, (RDF, "RDF")) => Some(Tag::Rdf),
        (Tag::Rdf, (RDF, "Description")) => Some(Tag::Top),
        (Tag::Top, name) => property(name).map(Tag::Property),
        (Tag::Property(_), (RDF, "Seq" | "Alt" | "Bag")) => Some(parent),
        (Tag::Property(list), (RDF, "li")) => Some(Tag::Item(list)),
        (Tag::Item(Property::History), (RDF, "Description")) => Some(parent),
        (Tag::Item(Property::History), name) => event_property(name).map(Tag::Property),
        _ => None,
    };
    found.unwrap_or(Tag::Other)
}

/// What was found so far.
#[derive(Default)]
struct Values {
    source: Option<String>,
    software: Option<String>,
    credit: Option<String>,
    description: Option<String>,
    agent: Option<String>,
    parameters: Option<String>,
    models: Vec<String>,
}

impl Values {
    /// Takes a value, unless there is one or it is blank.
    fn set(&mut self, property: Property, value: &str) {
        let place = match property {
            Property::Source => &mut self.source,
            Property::Software => &mut self.software,
            Property::Credit => &mut self.credit,
            Property::Description => &mut self.description,
            Property::Agent => &mut self.agent,
            Property::Parameters => &mut self.parameters,
            Property::History => return,
        };
        if place.is_none() && !value.trim().is_empty() {
            *place = Some(value.to_owned());
        }
    }

    /// An event of the history is over. Those of other programs have parameters too, but of another meaning.
    fn finish_event(&mut self) {
        let (agent, parameters) = (self.agent.take(), self.parameters.take());
        let is_ours = agent.is_some_and(|agent| agent == "Mien" || agent.starts_with("Mien "));
        if is_ours {
            self.models.extend(parameters);
        }
    }
}

/// What a packet in UTF-8 says, if it has a source type.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    // What follows the end is padding, or in a GIF a table of bytes that isn't text.
    let end = find(bytes, b"<?xpacket end").unwrap_or(bytes.len());
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let text = text.trim_matches(['\0', '\u{feff}', ' ', '\r', '\n', '\t']);

    let values = values(text)?;
    Some(Found {
        source: values.source?.trim().to_owned(),
        models: values.models,
        software: values.software,
        sentence: values.credit.or(values.description),
    })
}

fn values(text: &str) -> Option<Values> {
    let mut reader = NsReader::from_str(text);
    reader
        .resolver_mut()
        .set_max_declarations_per_element(MOST_NAMESPACES);
    let mut values = Values::default();
    let mut open: Vec<Tag> = Vec::new();
    let mut content = String::new();
    let mut elements = 0;
    loop {
        let event = reader.read_event().ok()?;
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            elements += 1;
            if elements > MOST_ELEMENTS {
                return None;
            }
        }
        match event {
            Event::Start(element) => {
                if open.len() == MOST_DEEP {
                    return None;
                }
                open.push(begin(&element, reader.resolver(), &open, &mut values)?);
                content.clear();
            }
            Event::Empty(element) => {
                let tag = begin(&element, reader.resolver(), &open, &mut values)?;
                finish(tag, "", open.last().copied(), &mut values);
                content.clear();
            }
            Event::End(_) => {
                let tag = open.pop()?;
                finish(tag, &content, open.last().copied(), &mut values);
                content.clear();
            }
            Event::Text(part) => content.push_str(&part.xml10_content().ok()?),
            Event::CData(part) => content.push_str(&part.xml10_content().ok()?),
            Event::GeneralRef(reference) => push_reference(&mut content, &reference)?,
            // Entities of its own are nothing for a packet, but a way to make a small file large.
            Event::DocType(_) => return None,
            Event::Eof => return open.is_empty().then_some(values),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
}

/// What a starting element is; the properties that are its attributes are taken.
fn begin(
    element: &BytesStart<'_>,
    resolver: &NamespaceResolver,
    open: &[Tag],
    values: &mut Values,
) -> Option<Tag> {
    let parent = open.last().copied().unwrap_or(Tag::Other);
    let tag = name(resolver.resolve_element(element.name())).map_or(Tag::Other, |n| tag(parent, n));
    if matches!(tag, Tag::Rdf | Tag::Other) {
        return Some(tag);
    }
    // Names given twice do no harm here, and looking for them takes the square of their number.
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.ok()?;
        let Some(name) = name(resolver.resolve_attribute(attribute.key)) else {
            continue;
        };
        let target = match (tag, name) {
            (Tag::Top, name) => property(name),
            (Tag::Item(Property::History), name) => event_property(name),
            (Tag::Property(own), (RDF, "resource")) => Some(own),
            _ => None,
        };
        if let Some(target) = target {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            values.set(target, &value);
        }
    }
    Some(tag)
}

/// An element of `parent` is over, whose own text is `content`.
fn finish(tag: Tag, content: &str, parent: Option<Tag>, values: &mut Values) {
    match tag {
        // The event itself, rather than a description in it.
        Tag::Item(Property::History) if parent == Some(Tag::Property(Property::History)) => {
            values.finish_event();
        }
        Tag::Property(property) | Tag::Item(property) => values.set(property, content),
        _ => {}
    }
}

fn push_reference(content: &mut String, reference: &BytesRef<'_>) -> Option<()> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => content.push(character),
        None => content.push_str(resolve_predefined_entity(&reference.decode().ok()?)?),
    }
    Some(())
}

/// A name in a namespace, as text.
fn name<'a>((space, local): (ResolveResult<'a>, LocalName<'a>)) -> Option<Name<'a>> {
    let ResolveResult::Bound(Namespace(space)) = space else {
        return None;
    };
    let space = std::str::from_utf8(space).ok()?;
    Some((space, std::str::from_utf8(local.into_inner()).ok()?))
}

/// Where `needle` first is.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::provenance::note::SourceType;

    fn found(body: &str) -> Option<Found> {
        let text = format!(
            r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="{RDF}">{body}</r:RDF></x:xmpmeta>"#
        );
        read(text.as_bytes())
    }

    /// A source type, and then something.
    fn described(then: &str) -> Option<Found> {
        let uri = SourceType::TrainedAlgorithmicMedia.uri();
        found(&format!(
            r#"<r:Description xmlns:i="{IPTC}" i:DigitalSourceType="{uri}"/>{then}"#
        ))
    }

    #[test]
    fn other_spellings_of_the_same_are_read() {
        let uri = SourceType::TrainedAlgorithmicMedia.uri();
        for body in [
            format!(r#"<r:Description xmlns:i="{IPTC}" i:DigitalSourceType="{uri}"/>"#),
            format!(
                r#"<r:Description xmlns:i="{IPTC}"><i:DigitalSourceType r:resource="{uri}"/></r:Description>"#
            ),
            format!(
                r#"<r:Description xmlns:x="{XMP}" x:CreatorTool="A"/><r:Description><DigitalSourceType xmlns="{IPTC}">
                {uri}
                </DigitalSourceType></r:Description>"#
            ),
        ] {
            let found = found(&body).expect(&body);
            assert_eq!(found.source, uri);
            assert!(found.models.is_empty());
        }
    }

    #[test]
    fn what_says_nothing_of_its_source_is_nothing() {
        assert_eq!(found(""), None);
        assert_eq!(
            found(&format!(
                r#"<r:Description xmlns:x="{XMP}" x:CreatorTool="A"/>"#
            )),
            None
        );
        // The name without the namespace.
        assert_eq!(
            found(r#"<r:Description DigitalSourceType="http://x/trainedAlgorithmicMedia"/>"#),
            None
        );
        for bytes in [b"".as_slice(), b"<", b"\xff\xfe<\0", b"<?xpacket end"] {
            assert_eq!(read(bytes), None);
        }
    }

    #[test]
    fn the_history_of_other_programs_names_no_models() {
        let uri = SourceType::TrainedAlgorithmicMedia.uri();
        let body = format!(
            r#"<r:Description xmlns:i="{IPTC}" i:DigitalSourceType="{uri}" xmlns:m="{HISTORY}" xmlns:e="{EVENT}"><m:History><r:Seq>
            <r:li e:softwareAgent="Other 3" e:parameters="from PNG to JPEG"/>
            <r:li><r:Description e:softwareAgent="Mien 0.2.0" e:parameters="fomm-256"/></r:li>
            <r:li r:parseType="Resource"><e:softwareAgent>Mien 0.2.0</e:softwareAgent><e:parameters>tps-256</e:parameters></r:li>
            </r:Seq></m:History></r:Description>"#
        );
        assert_eq!(found(&body).unwrap().models, ["fomm-256", "tps-256"]);
    }

    #[test]
    fn depth_and_entities_do_no_harm() {
        let deep = "<a>".repeat(500_000);
        assert_eq!(described(&deep), None);
        let closed = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(described(&closed(MOST_DEEP - 2)).is_some());
        assert_eq!(described(&closed(MOST_DEEP - 1)), None);
        let long = "<a/>".repeat(MOST_ELEMENTS + 1);
        assert_eq!(described(&long), None);
        assert!(described(&long[4 * 10..]).is_some());
        let many: String = (0..20_000).map(|i| format!(" xmlns:a{i}='a'")).collect();
        assert_eq!(described(&format!("<a{many}/>")), None);
        let laughs = format!(
            r#"<!DOCTYPE a [<!ENTITY l "ha">]><r:RDF xmlns:r="{RDF}"><r:Description xmlns:i="{IPTC}" i:DigitalSourceType="&l;"/></r:RDF>"#
        );
        assert_eq!(read(laughs.as_bytes()), None);
    }
}
