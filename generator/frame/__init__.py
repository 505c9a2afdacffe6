"""What one frame shows, drawn from (seed, frame); pure numpy.

settings         settings of a rendering run: fields, presets, reading
scene_kind       what plain and indoor scenes have
settings_text    settings as TOML with a comment at every key
old_settings     names and values of the release before
frame_spec       one frame, decided: drawn once, written and read as JSON
light            where the light comes from, its color
frame_look       light, background, skin tone, handedness and sleeve together
framing          camera, and the pose as it sees it
hand_look        skin, glove and rings of one hand
elbow            an arm bent at the elbow
arm_reach        the arm that leads out of the image
held_object      what the first hand holds
crowd            several people, and one's own hands
empty_scene      images without a hand: feet, arms, objects
feet             their bare feet
foot_wear        their sandals and trousers
placing          where their subjects and the camera are
second_hand      a second hand beside the first
backgrounds      images behind the hands
camera_effects   blur, noise and JPEG as cameras make them
room/            what is around hands indoors: light, clothes, props, people
gbuffer          depth, normals and parts from the posed mesh
"""
