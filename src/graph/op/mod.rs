//! What a node computes: one file an operator, with its attributes, its parameters, the shape that it gives, the steps of
//! the frozen form that it becomes and how the trainable form computes it. One line in [`Op`] makes it known.

use std::borrow::Cow;
use std::{fmt, slice};

use serde::{Deserialize, Serialize};

use super::budget::product;
use super::frozen::lower::{Lowering, Pending};
use super::{Init, NodeId, ParameterKind, Role, Shape};
#[cfg(feature = "train")]
use crate::ops::{Layer, OpError, Value};

/// What the graph asks of an operator.
pub(crate) trait Operator: fmt::Debug {
    /// The prefix of the parameters' names; `None` for an operator without any.
    fn name(&self) -> Option<&str> {
        None
    }

    fn name_mut(&mut self) -> Option<&mut String> {
        None
    }

    /// Its tensors, in the order in which a reader of files gives their values.
    fn parts(&self, _role: Role) -> Vec<Part> {
        Vec::new()
    }

    /// How many values it gives.
    fn values(&self) -> usize {
        1
    }

    /// Of an operator of several values those that give each of them alone, in their order. What follows is asked of these.
    fn apart(&self) -> Vec<Op> {
        Vec::new()
    }

    /// The shape that it gives from its inputs', or `None` where it cannot take them; `image` is height and width of the
    /// network's image. Attributes may come from a file: whatever they say gives a shape or none.
    fn shape(&self, inputs: &[Shape], _image: [usize; 2]) -> Option<Shape> {
        match inputs {
            [x] => Some(*x),
            _ => None,
        }
    }

    /// The multiplications and comparisons of an image.
    fn work(&self, _inputs: &[Shape], output: Shape) -> u64 {
        output.count()
    }

    /// The weights that it computes with, where these are others than its parameters.
    fn packed(&self) -> Option<u64> {
        None
    }

    /// The numbers that it needs while it runs, beside its inputs and its output.
    fn scratch(&self, _inputs: &[Shape]) -> u64 {
        0
    }

    /// Whether files of version 1 can say it, so that those who know no other read them.
    fn is_in_version_1(&self, _inputs: &[Shape]) -> bool {
        false
    }

    /// What it becomes in the frozen form: node `id`, which reads `inputs`.
    fn lower(&self, lowering: &mut Lowering, id: NodeId, inputs: &[NodeId]) -> Pending;

    /// Its value in the trainable form.
    #[cfg(feature = "train")]
    fn run(&self, inputs: Vec<Value>, layer: &Layer) -> Result<Value, OpError>;
}

/// A tensor of an operator; its whole name is the operator's, a dot, and this one.
pub(crate) struct Part {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub kind: ParameterKind,
    pub init: Init,
}

impl Part {
    pub fn trained(name: &'static str, shape: impl Into<Vec<usize>>, init: Init) -> Self {
        Self { name, shape: shape.into(), kind: ParameterKind::Trained, init }
    }

    /// `weight` and `bias` that scale and shift each of so many channels.
    pub fn affine(channels: usize) -> Vec<Self> {
        vec![
            Self::trained("weight", [channels], Init::Constant(1.0)),
            Self::trained("bias", [channels], Init::Constant(0.0)),
        ]
    }
}

/// The accessors of an operator whose attribute `name` is the prefix of its parameters.
macro_rules! named {
    () => {
        fn name(&self) -> Option<&str> {
            Some(&self.name)
        }

        fn name_mut(&mut self) -> Option<&mut String> {
            Some(&mut self.name)
        }
    };
}

/// Implements [`Operator`] for what changes each number by itself: the activation that it is in the frozen form, and what burn
/// makes of a tensor of any rank.
macro_rules! activation {
    ($type:ident, $operator:pat => $activation:expr, $x:ident => $value:expr) => {
        impl $crate::graph::op::Operator for $type {
            fn lower(
                &self,
                lowering: &mut $crate::graph::op::Lowering,
                id: $crate::graph::NodeId,
                inputs: &[$crate::graph::NodeId],
            ) -> $crate::graph::op::Pending {
                let $operator = self;
                lowering.activation(id, inputs[0], $activation)
            }

            #[cfg(feature = "train")]
            fn run(
                &self,
                inputs: Vec<$crate::ops::Value>,
                _layer: &$crate::ops::Layer,
            ) -> Result<$crate::ops::Value, $crate::ops::OpError> {
                let $operator = self;
                let [x] = $crate::ops::take(inputs);
                Ok($crate::ops::each!(x, $x => $value))
            }
        }
    };
}

/// Added to a variance before its square root, as torchvision and torchreid do everywhere. Files of version 1 know no other
/// and do not say it, and so an operator writes it only where it is another.
pub const EPS: f32 = 1e-5;

fn eps() -> f32 {
    EPS
}

fn is_usual(eps: &f32) -> bool {
    *eps == EPS
}

/// Makes [`Op`] of the list of operators. The files and types are named alike; an operator without attributes is a type all
/// the same, of no size.
macro_rules! operators {
    (@pattern $op:ident $variant:ident) => { Op::$variant };
    (@pattern $op:ident $variant:ident $attributes:ident) => { Op::$variant($op) };
    (@value $op:ident $variant:ident) => { &$variant };
    (@value $op:ident $variant:ident $attributes:ident) => { $op };
    (@name $op:ident $variant:ident) => { None };
    (@name $op:ident $variant:ident $attributes:ident) => { $op.name_mut() };
    ($($module:ident::$variant:ident $(($attributes:ident))?,)*) => {
        $(mod $module; pub use $module::*;)*

        /// What a node computes; each operator's own documentation says it. In files its name is written with hyphens.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Op {
            $($variant $(($attributes))?,)*
        }

        impl Op {
            pub(crate) fn operator(&self) -> &dyn Operator {
                match self {
                    $(operators!(@pattern op $variant $($attributes)?) => operators!(@value op $variant $($attributes)?),)*
                }
            }

            pub(crate) fn name_mut(&mut self) -> Option<&mut String> {
                match self {
                    $(operators!(@pattern op $variant $($attributes)?) => operators!(@name op $variant $($attributes)?),)*
                }
            }
        }

        $($(impl From<$attributes> for Op {
            fn from(attributes: $attributes) -> Self {
                Self::$variant(attributes)
            }
        })?)*
    };
}

operators! {
    input::Input(Input),
    convolution::Convolution(Convolution),
    batch_norm::BatchNorm(BatchNorm),
    instance_norm::InstanceNorm(InstanceNorm),
    group_norm::GroupNorm(GroupNorm),
    layer_norm::LayerNorm(LayerNorm),
    unit_length::UnitLength(UnitLength),
    affine::Affine(Affine),
    relu::Relu,
    leaky_relu::LeakyRelu(LeakyRelu),
    p_relu::PRelu(PRelu),
    elu::Elu(Elu),
    clip::Clip(Clip),
    sigmoid::Sigmoid,
    hard_sigmoid::HardSigmoid(HardSigmoid),
    silu::Silu,
    hard_swish::HardSwish,
    gelu::Gelu(Gelu),
    mish::Mish,
    softplus::Softplus,
    tanh::Tanh,
    exp::Exp,
    max_pool::MaxPool(MaxPool),
    average_pool::AveragePool(AveragePool),
    global_average_pool::GlobalAveragePool,
    global_max_pool::GlobalMaxPool,
    gem_pool::GemPool(GemPool),
    channel_mean::ChannelMean,
    channel_max::ChannelMax,
    linear::Linear(Linear),
    attention::Attention(Attention),
    add::Add,
    subtract::Subtract,
    multiply::Multiply,
    place::Place(Place),
    split::Split(Split),
    concatenate::Concatenate,
    gather_channels::GatherChannels(GatherChannels),
    tokens::Tokens,
    untokens::Untokens(Untokens),
    class_token::ClassToken(ClassToken),
    split_places::SplitPlaces(SplitPlaces),
    join_places::JoinPlaces,
    gather::Gather(Gather),
    resize::Resize(Resize),
}

impl Op {
    /// The prefix of the parameters' names; `None` for an operator without any.
    pub fn name(&self) -> Option<&str> {
        self.operator().name()
    }

    /// How many values it gives.
    pub fn values(&self) -> usize {
        self.operator().values()
    }

    /// An operator for each of its values.
    pub(crate) fn apart(&self) -> Cow<'_, [Self]> {
        if self.values() == 1 { slice::from_ref(self).into() } else { self.operator().apart().into() }
    }

    /// What it is called in messages.
    pub(crate) fn kind(&self) -> String {
        let text = format!("{:?}", self.operator());
        text.split([' ', '(']).next().unwrap_or_default().to_owned()
    }
}

/// Whether channels fall into so many groups.
fn splits(channels: usize, groups: usize) -> bool {
    channels.checked_rem(groups) == Some(0)
}
