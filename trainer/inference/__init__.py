"""From a network to COCO results.

inputs           images, folders, datasets, videos and cameras, one image at a time
predict          detections of all inputs
detections       detections of one image, written and drawn
outputs          what is written of each image: overlays, masks
formats          the files of other tools: COCO, LabelMe, YOLO, CSV, instance and cut-out PNGs
summary          what predict says at its end
detector         a trained network, ready to detect
track            the same number for the same object in all frames of a video
tta              test-time augmentation
zoom             a closer look at what is small
mask_refinement  masks that follow the image's edges (guided filter)
export           ONNX, TorchScript, and safetensors in float16
"""
