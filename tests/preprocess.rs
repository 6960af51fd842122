//! The resize against Pillow's, on the CPU.
#![cfg(not(target_arch = "wasm32"))]

#[path = "common/resize_cases.rs"]
mod resize_cases;

use resize_cases::resize_cases;
use webreid::kernels::frozen::preprocess::{Frame, Order, Plan, Rgba, resize, twin};

#[test]
fn the_resize_is_pillows_to_the_bit() {
    for case in resize_cases() {
        let plan = case.plan();
        let (columns, rows) = plan.axes(case.image());
        case.assert_matches(&resize(case.image(), &columns, &rows, plan.frame.fit.colour()));
    }
}

#[test]
fn channels_are_scaled_in_the_networks_order() {
    let plan = Plan { frame: Frame::bilinear(1, 1), order: Order::Bgr, scale: [1.0, 2.0, 4.0], bias: [0.0, -1.0, 0.5] };
    let image = Rgba::new(1, 1, &[10, 20, 30, 0]).unwrap();
    let (columns, rows) = plan.axes(image);
    assert_eq!(twin(&plan, image, &columns, &rows), [30.0, 39.0, 40.5]);
}

#[test]
fn an_image_that_is_not_its_size_is_refused() {
    assert!(Rgba::new(2, 2, &[0; 16]).is_ok());
    for (width, height, bytes) in [(2, 2, 15), (0, 2, 0), (u32::MAX, u32::MAX, 4), (1 << 31, 1 << 31, 0)] {
        let error = Rgba::new(width, height, &vec![0; bytes]).unwrap_err();
        assert_eq!((error.width, error.height, error.bytes), (width, height, bytes));
    }
}
