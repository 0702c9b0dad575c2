//! The XMP packet: RDF/XML as in ISO 16684-1, with IPTC's source type.

use crate::media::provenance::note::Provenance;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const HISTORY: &str = "http://ns.adobe.com/xap/1.0/mm/";
const EVENT: &str = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const DC: &str = "http://purl.org/dc/elements/1.1/";

/// Serialises a note as a read-only packet, without padding for later edits.
pub(super) fn write(note: &Provenance) -> String {
    let software = escaped(&note.software);
    let sentence = escaped(&note.sentence());
    let source = note.source_type.uri();
    let action = note.source_type.action();
    let events: String = note
        .models
        .iter()
        .map(|model| {
            let model = escaped(model);
            format!(
                r#"
     <rdf:li stEvt:action="{action}" stEvt:softwareAgent="{software}" stEvt:parameters="{model}"/>"#
            )
        })
        .collect();
    let history = if events.is_empty() {
        String::new()
    } else {
        format!(
            r#"
   <xmpMM:History>
    <rdf:Seq>{events}
    </rdf:Seq>
   </xmpMM:History>"#
        )
    };

    // The standard requires the byte order mark in the first line, which distinguishes UTF-8 from UTF-16.
    format!(
        r#"<?xpacket begin="{mark}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="{IPTC}"
    xmlns:xmp="{XMP}"
    xmlns:xmpMM="{HISTORY}"
    xmlns:stEvt="{EVENT}"
    xmlns:photoshop="{PHOTOSHOP}"
    xmlns:dc="{DC}">
   <Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
   <xmp:CreatorTool>{software}</xmp:CreatorTool>
   <photoshop:Credit>{sentence}</photoshop:Credit>
   <dc:description>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">{sentence}</rdf:li>
    </rdf:Alt>
   </dc:description>{history}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"#,
        mark = '\u{feff}',
    )
}

/// Escapes text for elements and attributes. Characters that XML can't represent become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Unescaped, they would be read back as spaces.
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", character as u32)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
