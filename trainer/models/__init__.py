"""Networks.

networks       torchvision's R-CNNs and where their weights start; layer groups
semantic       DeepLabV3, and the R-CNNs' feature pyramid with a class for each pixel
roi_align_cpu  RoIAlign on the CPU
checkpoint     weights on disk, as safetensors
"""
