"""Fields that definitions in the wild have and Caffe 1.0 does not: of forks, or of another place.

Three tables to extend. MOVED has fields of another generation of the format or written in the wrong
place, INSTEAD those of forks that Caffe 1.0 can express, FORKS all others by message and fork.
`caffe.layer_types.fork_layers` has the layer types that forks add, and so their settings, such as
permute_param.
"""

from caffe.layer_types.fork_layers import of_fork_settings

# (message, field): what to write instead.
PER_BLOB = "one per weight blob"
IN_SETTINGS = (
    "it belongs inside the settings of a layer type, such as convolution_param { } or "
    "inner_product_param { }"
)
IN_SOURCE = (
    "it belongs inside the settings of a data layer, such as data_param { } or image_data_param { }"
)
IN_TRANSFORM = "it belongs inside transform_param { }"
SHAPE = "write shape { dim: ... }"
MOVED = {
    ("LayerParameter", "blobs_lr"): f"write param {{ lr_mult: ... }}, {PER_BLOB}",
    ("LayerParameter", "weight_decay"): f"write param {{ decay_mult: ... }}, {PER_BLOB}",
    ("LayerParameter", "blob_share_mode"): f"write param {{ share_mode: ... }}, {PER_BLOB}",
    ("LayerParameter", "lr_mult"): f"write param {{ lr_mult: ... }}, {PER_BLOB}",
    ("LayerParameter", "decay_mult"): f"write param {{ decay_mult: ... }}, {PER_BLOB}",
    ("LayerParameter", "layer"): "close the layer above with } before the next one",
    ("LayerParameter", "layers"): "close the layer above with } before the next one",
    ("LayerParameter", "conv_param"): "write convolution_param",
    ("LayerParameter", "deconvolution_param"): "write convolution_param, also for a Deconvolution",
    ("LayerParameter", "pool_param"): "write pooling_param",
    ("LayerParameter", "fc_param"): "write inner_product_param",
    ("LayerParameter", "softmax_loss_param"): "write loss_param, and softmax_param for the axis",
    ("LayerParameter", "softmax_with_loss_param"): "write loss_param",
    ("LayerParameter", "param_str"): "it belongs inside python_param { }",
    ("LayerParameter", "module"): "it belongs inside python_param { }",
    ("NetParameter", "input_param"): "it belongs inside a layer { } of type Input",
    ("InputParameter", "dim"): SHAPE,
    ("ParameterParameter", "dim"): SHAPE,
    ("DummyDataParameter", "dim"): SHAPE,
    ("ReshapeParameter", "dim"): SHAPE,
    **{
        ("LayerParameter", field): IN_SETTINGS
        for field in "num_output kernel_size stride pad bias_term weight_filler bias_filler".split()
    },
    **{("LayerParameter", field): IN_SOURCE for field in "source batch_size backend".split()},
    **{
        ("LayerParameter", field): IN_TRANSFORM
        for field in "crop_size mirror mean_file mean_value force_color force_gray".split()
    },
}

# (message, field): whose it is, what Caffe 1.0 has in its place.
DILATION = "write dilation, as Caffe 1.0 calls it"
DILATION_2D = "write dilation twice, first for the height, then for the width"
ROUND_MODE = "write round_mode: FLOOR for ceil_mode: false; CEIL is what Caffe does by default"
INSTEAD = {
    ("ConvolutionParameter", "hole"): ("DeepLab's", DILATION),
    ("ConvolutionParameter", "hole_h"): ("DeepLab's", DILATION_2D),
    ("ConvolutionParameter", "hole_w"): ("DeepLab's", DILATION_2D),
    ("ConvolutionParameter", "kstride"): ("", DILATION),
    ("ConvolutionParameter", "kstride_h"): ("", DILATION_2D),
    ("ConvolutionParameter", "kstride_w"): ("", DILATION_2D),
    ("ConvolutionParameter", "filter_stride"): ("", DILATION),
    ("ConvolutionParameter", "dilate"): ("", DILATION),
    ("ConvolutionParameter", "dilation_h"): ("", DILATION_2D),
    ("ConvolutionParameter", "dilation_w"): ("", DILATION_2D),
    ("PoolingParameter", "ceil_mode"): ("", ROUND_MODE),
    ("LayerParameter", "softmaxloss_param"): ("DeepLab's", "write loss_param { ignore_label }"),
    ("BatchNormParameter", "engine"): ("NVIDIA's and Intel's", "leave it out"),
    ("LayerParameter", "engine"): ("Intel's", "leave it out"),
    ("NetParameter", "engine"): ("Intel's", "leave it out"),
    ("NetParameter", "mem_param"): ("for videos", "leave it out"),
    ("LayerParameter", "strict_dim"): ("DeepLab's", "leave it out"),
    ("LayerParameter", "reshape_every_iter"): ("FlowNet's", "leave it out"),
    ("BatchNormParameter", "scale_filler"): ("NVIDIA's", "add a layer of type Scale"),
    ("BatchNormParameter", "scale_bias"): ("NVIDIA's", "add a layer of type Scale"),
    ("BatchNormParameter", "bias_filler"): ("NVIDIA's and Intel's", "add a layer of type Scale"),
    ("BatchNormParameter", "bias_term"): ("Intel's", "add a layer of type Scale"),
    ("BatchNormParameter", "use_weight_bias"): ("Intel's", "add a layer of type Scale"),
    ("SolverParameter", "eval_type"): ("SSD's", "leave it out: it says how SSD tests"),
    ("SolverParameter", "ap_version"): ("SSD's", "leave it out: it says how SSD tests"),
    ("SolverParameter", "show_per_class_result"): ("SSD's", "leave it out"),
}

# message: {fork: its fields}.
FORKS = {
    "TransformationParameter": {
        "SSD's": "resize_param noise_param distort_param expand_param emit_constraint crop_h "
        "crop_w",
        "PSPNet's and DeepLab's": "scale_factors crop_width crop_height",
        "Intel's": "random_resize_param random_aspect_ratio_param flow",
        "for videos": "fix_crop more_fix_crop multi_scale max_distort scale_ratios is_flow "
        "org_size_proc upper_size upper_height upper_width",
        "NVIDIA's": "img_rand_resize_lower img_rand_resize_upper use_gpu_transform "
        "rand_resize_ratio_lower rand_resize_ratio_upper vertical_stretch_lower "
        "vertical_stretch_upper interpolation_algo_down interpolation_algo_up allow_upscale",
        "for augmentation": "min_side min_side_min min_side_max rotation_angle "
        "contrast_brightness_adjustment contrast_adjustment brightness_adjustment "
        "smooth_filtering jpeg_compression max_rotation_angle max_color_shift debug_params "
        "max_smooth color_shift min_contrast max_contrast max_brightness_shift apply_probability",
        "OpenPose's": "target_dist max_rotate_degree scale_prob scale_min scale_max crop_size_x "
        "crop_size_y center_perterb_max np_in_lmdb num_parts do_clahe visualize",
    },
    "ConvolutionParameter": {
        "C3D's": "kernel_depth kernel_d kernel_l temporal_stride stride_d stride_l temporal_pad "
        "pad_d pad_l",
        "NVIDIA's": "cudnn_convolution_algo_seeker conv_algos_override cudnn_math_override",
        "Intel's": "relu negative_slope fusion_type bn_stats_batch_size",
        "OpenPose's": "binary",
    },
    "PoolingParameter": {
        "C3D's": "kernel_depth kernel_d kernel_l temporal_stride stride_d stride_l temporal_pad "
        "pad_d pad_l"
    },
    "LossParameter": {
        "SegNet's": "weight_by_label_freqs class_weighting",
        "LArCV's": "class_loss_weights",
        "R-FCN's and Intel's": "pre_fixed_normalizer",
        "Intel's": "label_smoothing",
        "": "focal_loss_alpha focal_loss_gamma pos_weight neg_weight hard_ratio",
    },
    "BatchNormParameter": {
        "DeepLab's": "update_global_stats",
        "Intel's": "filler stats_batch_size relu",
    },
    "DropoutParameter": {"SegNet's": "sample_weights_test", "": "scale_train"},
    "InnerProductParameter": {"face recognition's": "normalize normalize_scale"},
    "EltwiseParameter": {"Intel's": "relu negative_slope", "": "coeff_blob"},
    "ReLUParameter": {"Intel's": "fuse"},
    "DataParameter": {
        "NVIDIA's": "threads parser_threads cache",
        "Intel's": "shuffle",
        "": "label_size num_labels multi_label",
    },
    "ImageDataParameter": {
        "DeepLab's": "label_type has_label max_labels ignore_label",
        "SegNet's": "nn_interp h_offset w_offset h_crop w_crop",
        "for faces": "face_transform max_shear_ratio max_aspect_ratio max_rotate_angle "
        "min_random_scale max_random_scale max_random_shift face_mirror face_point_num",
        "": "label_size label_dim label_num multi_label",
    },
    "LayerParameter": {
        "NVIDIA's": "forward_type backward_type forward_math backward_math",
        "Intel's": "multinode quantization_param",
        "": "need_backprop",
    },
    "NetParameter": {
        "NVIDIA's": "default_forward_type default_backward_type default_forward_math "
        "default_backward_math default_conv_algos_override global_grad_scale "
        "global_grad_scale_adaptive reduce_buckets eltwise_mul",
        "Intel's": "multinode bn_stats_batch_size compile_net_state",
        "for videos": "profile_info",
    },
    "SolverParameter": {
        "SSD's": "plateau_winsize",
        "NVIDIA's": "rampup_interval rampup_lr min_lr local_lr_auto local_lr local_gw_ratio larc "
        "larc_policy larc_eta store_blobs_in_old_format momentum_policy momentum_power "
        "max_momentum weight_decay_policy weight_decay_power solver_data_type global_grad_scale",
        "Intel's": "warmup_iter warmup_start_lr disabled_update",
        "for videos": "richness",
        "": "early_stop stop_threshold",
    },
}
# What all generations of a message are called in the tables.
CURRENT = {"V1LayerParameter": "LayerParameter"}

_FORK = {
    (message, field): fork
    for message, forks in FORKS.items()
    for fork, fields in forks.items()
    for field in fields.split()
}


def of_fork_field(message: str, field: str) -> str | None:
    """Return what to say of a field that the message does not have, or None if it is not known.

    Parameters
    ----------
    message : str
        Name of the message type, such as ConvolutionParameter.
    field : str
        Name of the field.

    Returns
    -------
    str or None
        Without the names of both: "it comes from a fork of Caffe, DeepLab's: ...".
    """
    key = CURRENT.get(message, message), field
    if key in INSTEAD:
        fork, fix = INSTEAD[key]
        return f"{_from(fork)}: {fix}"
    if key in _FORK:
        return f"{_from(_FORK[key])}; this package does not offer it"
    return of_fork_settings(field) if key[0] == "LayerParameter" else None


def _from(fork):
    """Say where a field comes from."""
    return f"it comes from a fork of Caffe{', ' * bool(fork)}{fork}"
