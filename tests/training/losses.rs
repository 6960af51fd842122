//! Every loss and its gradient.

use burn::tensor::Tensor;
use webreid::ops::OpError;
use webreid::training::loss::{
    Memory, Teacher, accuracy, cosine_distillation, label_smooth_cross_entropy, normalise_rows,
    relational_distillation, soft_cross_entropy, soft_triplet, soft_triplet_with_teacher, triplet,
};

use super::{Tensors, fixture, labels, read, upload};
use crate::common::{devices, relative_error};

/// Of the largest value; PyTorch's f32 errs by up to 6e-5 (where a lone image meets itself), otherwise by 5e-7.
const TOLERANCE: f32 = 2e-6;

/// The images of the distillation cases that have no teacher, as in the script.
const WITHOUT_TEACHER: [usize; 2] = [3, 7];

#[test]
fn losses_and_gradients_are_pytorchs() {
    let fixture = fixture("losses");
    for device in devices() {
        let name = device.name.clone();
        let device = device.device.autodiff();
        let mut asked = Vec::new();
        let mut worst = (0.0, String::new());
        let mut check = |case: &str, wrt: &str, loss: &dyn Fn(Tensor<2>) -> Result<Tensor<1>, OpError>| {
            let x = upload::<2>(&fixture[wrt], &device).require_grad();
            let loss = loss(x.clone()).unwrap();
            let gradients = loss.backward();
            let found = [("loss", read(loss)), ("gradient", read(x.grad(&gradients).unwrap()))];
            for (part, found) in found {
                let key = format!("{case}/{part}");
                let error = relative_error(&found, &fixture[&key].values);
                assert!(error <= TOLERANCE, "{key} on {name} is off by {error:e} of its largest value");
                if error > worst.0 {
                    worst = (error, key.clone());
                }
                asked.push(key);
            }
        };
        let tensor = |name: &str| upload::<2>(&fixture[name], &device);
        let people = labels(&fixture["labels"]);
        let alone = labels(&fixture["alone_labels"]);

        check("cross_entropy", "logits", &|x| Ok(label_smooth_cross_entropy(x, &people, 0.0)));
        check("label_smooth", "logits", &|x| Ok(label_smooth_cross_entropy(x, &people, 0.1)));
        check("soft_cross_entropy", "logits", &|x| Ok(soft_cross_entropy(x, tensor("target_logits"))));
        check("triplet_0", "features", &|x| triplet(x, &people, 0.0));
        check("triplet_0.3", "features", &|x| triplet(x, &people, 0.3));
        check("triplet_alone", "features", &|x| triplet(x, &alone, 10.0));
        check("triplet_normalized", "features", &|x| triplet(normalise_rows(x), &people, 0.3));
        check("soft_triplet_0", "features", &|x| soft_triplet(x, &people, 0.0));
        check("soft_triplet_0.3", "features", &|x| soft_triplet(x, &people, 0.3));
        check("soft_triplet_teacher", "features", &|x| soft_triplet_with_teacher(x, &people, tensor("teacher")));
        check("soft_triplet_normalized", "features", &|x| {
            soft_triplet_with_teacher(normalise_rows(x), &people, normalise_rows(tensor("teacher")))
        });
        check("triplet_xbm", "features", &|x| memory(&fixture, tensor("memory")).triplet(x, &people, 0.3));
        check("triplet_xbm_normalized", "features", &|x| {
            memory(&fixture, normalise_rows(tensor("memory"))).triplet(normalise_rows(x), &people, 0.3)
        });
        let mut rows = read(normalise_rows(tensor("teacher")));
        let dim = rows.len() / people.len();
        for image in WITHOUT_TEACHER {
            rows[image * dim..][..dim].fill(0.0);
        }
        let teacher = Teacher::new(rows, people.len(), &device);
        check("distillation_cosine", "features", &|x| Ok(cosine_distillation(x, &teacher)));
        check("distillation_relation", "features", &|x| Ok(relational_distillation(x, &teacher)));

        let unasked =
            fixture.keys().filter(|key| (key.ends_with("/loss") || key.ends_with("/gradient")) && !asked.contains(key));
        assert_eq!(unasked.collect::<Vec<_>>(), Vec::<&String>::new());
        println!("losses on {name}: {:.1e} of the largest value, in {}", worst.0, worst.1);
    }
}

/// The fixture's memory as two batches, after an older one for which there is no room.
fn memory(fixture: &Tensors, features: Tensor<2>) -> Memory {
    let people = labels(&fixture["memory_labels"]);
    let mut memory = Memory::new(people.len());
    memory.push(features.clone() * 100.0, &people);
    let (first, second) = people.split_at(8);
    memory.push(features.clone().narrow(0, 0, 8), first);
    memory.push(features.narrow(0, 8, second.len()), second);
    assert_eq!(memory.len(), people.len());
    memory
}

#[test]
fn an_anchor_without_a_pair_adds_nothing() {
    for device in devices() {
        let device = device.device.autodiff();
        let x = Tensor::<2>::from_floats([[0.0, 0.0], [3.0, 4.0]], &device).require_grad();
        for loss in [triplet(x.clone(), &[1, 1], 10.0).unwrap(), soft_triplet(x.clone(), &[1, 1], 0.0).unwrap()] {
            let gradients = loss.backward();
            assert_eq!(read(loss), [0.0]);
            assert_eq!(read(x.grad(&gradients).unwrap()), [0.0; 4]);
        }
        // The first finds a positive at 5 and a negative at 3 in the memory, the second has no positive there.
        let mut memory = Memory::new(8);
        assert!(memory.triplet(x.clone(), &[1, 2], 0.5).is_err());
        memory.push(Tensor::from_floats([[3.0, 4.0], [0.0, 3.0]], &device), &[1, 3]);
        let loss = read(memory.triplet(x, &[1, 2], 0.5).unwrap())[0];
        assert!((loss - 1.25).abs() < 1e-6, "{loss}");
    }
}

#[test]
fn equal_features_have_no_gradient_between_them() {
    for device in devices() {
        let device = device.device.autodiff();
        let x = Tensor::<2>::from_floats([[1.5, -0.7], [1.5, -0.7], [1.5, -0.7]], &device).require_grad();
        let loss = soft_triplet(x.clone(), &[0, 0, 1], 0.0).unwrap();
        let gradients = loss.backward();
        assert!((read(loss)[0] - 2f32.ln()).abs() < 1e-6);
        assert_eq!(read(x.grad(&gradients).unwrap()), [0.0; 6]);
    }
}

#[test]
fn accuracy_counts_the_images_whose_own_logit_is_highest() {
    for device in devices() {
        let logits = [[0.1, 0.2, -1.0], [5.0, 0.0, 4.0], [-3.0, -2.0, -1.0], [0.0, f32::NAN, 0.0]];
        let logits = Tensor::<2>::from_floats(logits, &device.device);
        assert_eq!(read(accuracy(logits, &[1, 2, 2, 0])), [0.5]);
    }
}

#[test]
fn without_any_teacher_distillation_is_zero() {
    for device in devices() {
        let device = device.device.autodiff();
        let x = Tensor::<2>::from_floats([[0.0, 0.0], [3.0, 4.0]], &device).require_grad();
        let teacher = Teacher::new(vec![0.0; 4], 2, &device);
        let loss = cosine_distillation(x.clone(), &teacher) + relational_distillation(x.clone(), &teacher);
        let gradients = loss.backward();
        assert_eq!(read(loss), [0.0]);
        assert_eq!(read(x.grad(&gradients).unwrap()), [0.0; 4]);
    }
}
