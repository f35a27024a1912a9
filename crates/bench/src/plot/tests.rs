use super::axis::{number, ticks, top};
use super::*;

fn plot() -> Plot {
    let points = vec![(0.0, 10.0), (1.0, 25.0), (2.0, 0.0)];
    let bars = Series { name: "a & b".to_owned(), shape: Shape::Bars, points: points.clone() };
    let line = Series { name: "<line>".to_owned(), shape: Shape::Line, points };
    let (title, x, y) = ("Refreshes".to_owned(), "seconds".to_owned(), "a second".to_owned());
    Plot { title, x, y, series: vec![bars, line], marks: vec![("limit".to_owned(), 30.0)], ..Plot::default() }
}

/// The value of an attribute in the one element of that class.
fn attributes(svg: &str, class: &str, name: &str) -> Vec<f64> {
    let elements = svg.split('<').filter(|element| element.contains(&format!("class=\"{class}\"")));
    let value = |element: &str| element.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok();
    elements.filter_map(value).collect()
}

#[test]
fn bars_stand_on_the_axis_and_are_as_high_as_their_values() {
    let svg = plot().svg();
    let (tops, heights) = (attributes(&svg, "f0", "y"), attributes(&svg, "f0", "height"));
    // Three bars, and the legend's square.
    assert_eq!((tops.len(), heights.len()), (4, 4));
    assert!(tops.iter().zip(&heights).take(3).all(|(top, height)| (top + height - 324.0).abs() < 0.11));
    assert!((heights[1] / heights[0] - 2.5).abs() < 0.01 && heights[2] == 0.0);
}

#[test]
fn a_mark_is_inside_and_above_what_stays_below_it() {
    let svg = plot().svg();
    let marks = attributes(&svg, "mark", "y1");
    assert!(marks.len() == 1 && marks[0] >= 76.0 && marks[0] < attributes(&svg, "f0", "y")[1]);
}

#[test]
fn text_cannot_end_an_element() {
    let svg = plot().svg();
    assert!(svg.contains(">a &amp; b</text>") && svg.contains(">&lt;line&gt;</text>") && !svg.contains("<line>"));
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn a_plot_of_nothing_is_one_too() {
    let svg = Plot { series: Vec::new(), ..plot() }.svg();
    assert!(!svg.contains("NaN") && svg.contains("limit"));
}

#[test]
fn both_themes_colour_the_same_classes() {
    let (light, dark) = STYLE.split_once("@media").unwrap();
    for class in
        ["back", "text", "faint", "grid", "axis", "mark", "marked", "f0", "s0", "f1", "s1", "f2", "s2", "f3", "s3"]
    {
        let rule = format!(".{class}{{");
        assert!(light.contains(&rule) && dark.contains(&rule), "{class}");
    }
}

#[test]
fn ticks_are_round_and_include_both_ends() {
    let labels = |values| ticks(values).into_iter().map(|tick| tick.1).collect::<Vec<_>>();
    assert_eq!(labels((0.0, 10.0)), ["0", "2", "4", "6", "8", "10"]);
    assert_eq!(labels((0.0, 0.3)), ["0", "0.1", "0.2", "0.3"]);
    assert_eq!(labels((-1.0, 1.0)), ["-1", "-0.5", "0", "0.5", "1"]);
    assert_eq!((top(9.0), top(10.0), top(0.0), top(1500.0)), (10.0, 12.0, 1.0, 2000.0));
    assert_eq!(
        (number(1_234_567.0), number(12.5), number(-1500.0)),
        ("1\u{202f}234\u{202f}567".into(), "12.5".into(), "-1\u{202f}500".to_owned())
    );
}
