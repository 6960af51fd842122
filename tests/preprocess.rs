//! The resize against Pillow's, on the CPU.

#[path = "common/resize_cases.rs"]
mod resize_cases;

use resize_cases::resize_cases;
use webreid::kernels::preprocess::{Filter, Order, Plan, resize, twin};

#[test]
fn the_resize_is_pillows_to_the_bit() {
    for case in resize_cases() {
        let (columns, rows) = case.axes();
        case.assert_matches(&resize(case.width, &case.image, &columns, &rows));
    }
}

#[test]
fn channels_are_scaled_in_the_networks_order() {
    let plan = Plan {
        width: 1,
        height: 1,
        filter: Filter::Bilinear,
        order: Order::Bgr,
        scale: [1.0, 2.0, 4.0],
        bias: [0.0, -1.0, 0.5],
    };
    let (columns, rows) = plan.axes(1, 1);
    assert_eq!(twin(&plan, 1, &[10, 20, 30, 0], &columns, &rows), [30.0, 39.0, 40.5]);
}
