//! Many small tensors as one long one, so that an update is a few operations however many tensors there are.

use std::collections::BTreeMap;

use burn::tensor::{Device, ExecutionError, Tensor, TensorData};

use super::StateError;
use crate::graph::Parameter;
use crate::weights;

/// Where each tensor lies in the long one.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    parameters: Vec<Parameter>,
    length: usize,
}

impl Layout {
    /// `None` without parameters.
    pub fn new(parameters: Vec<Parameter>) -> Option<Self> {
        let length = parameters.iter().map(count).sum();
        (length > 0).then_some(Self { parameters, length })
    }

    pub fn zeros(&self, device: &Device) -> Tensor<1> {
        Tensor::zeros([self.length], device)
    }

    /// The tensors of these names, flat, end to end.
    pub fn join(&self, tensor: impl FnMut(&Parameter) -> Tensor<1>) -> Tensor<1> {
        Tensor::cat(self.parameters.iter().map(tensor).collect(), 0)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|parameter| parameter.name.as_str())
    }

    /// Each parameter with its part of `joined`.
    pub fn split(&self, joined: &Tensor<1>) -> impl Iterator<Item = (&Parameter, Tensor<1>)> {
        self.places().map(|(parameter, start)| (parameter, joined.clone().narrow(0, start, count(parameter))))
    }

    fn places(&self) -> impl Iterator<Item = (&Parameter, usize)> {
        self.parameters.iter().scan(0, |end, parameter| {
            let start = *end;
            *end += count(parameter);
            Some((parameter, start))
        })
    }

    /// Reads `joined` back, as tensors named `prefix` and their name.
    pub async fn read(
        &self,
        prefix: &str,
        joined: &Tensor<1>,
        tensors: &mut BTreeMap<String, weights::Tensor>,
    ) -> Result<(), ExecutionError> {
        let values: Vec<f32> = joined.clone().into_data_async().await?.iter::<f32>().collect();
        for (parameter, start) in self.places() {
            let values = values[start..start + count(parameter)].to_vec();
            let tensor = weights::Tensor { shape: parameter.shape.clone(), values };
            tensors.insert(format!("{prefix}{}", parameter.name), tensor);
        }
        Ok(())
    }

    /// What [`Layout::read`] gave, on the device again.
    pub fn upload(
        &self,
        prefix: &str,
        tensors: &BTreeMap<String, weights::Tensor>,
        device: &Device,
    ) -> Result<Tensor<1>, StateError> {
        let mut values = Vec::with_capacity(self.length);
        for parameter in &self.parameters {
            let name = format!("{prefix}{}", parameter.name);
            let tensor = tensors.get(&name).ok_or_else(|| StateError::Missing(name.clone()))?;
            if tensor.values.len() != count(parameter) {
                let (found, expected) = (tensor.values.len(), count(parameter));
                return Err(StateError::Length { name, found, expected });
            }
            values.extend_from_slice(&tensor.values);
        }
        Ok(Tensor::from_data(TensorData::new(values, [self.length]), device))
    }
}

/// The values of a parameter.
pub(super) fn count(parameter: &Parameter) -> usize {
    parameter.shape.iter().product()
}
