"""Networks.

networks         torchvision's R-CNNs and where their weights start
layer_freezing   which layers a session trains
roi_sampling     how many regions of interest the heads are trained on
backbones        torchvision's and timm's feature extractors: stages, norms, ImageNet weights
semantic         DeepLabV3: a class for each pixel
classifier       a class for each image
roi_align_cpu    RoIAlign on the CPU
depthwise_cpu    depthwise convolutions in float32 on the CPU
averaging        the mean of several networks' weights
checkpoint       weights on disk, as safetensors
foreign_weights  weights files of other programs, read as data alone
"""
