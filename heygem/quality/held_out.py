"""The evaluation, fixed for ever: clips of people whom nothing was trained on."""

HELD_OUT = (
    *("dfrf_cnn2", "dfrf_french", "headpose_31", "lrs2_00016", "mimictalk_May_5s", "retalking_4"),
    *("styletalk_KristiNoem", "styletalk_andrew_clip_1", "styletalk_andrew_clip_2"),
    *("styletalk_feifeili_clip1", "styletalk_feifeili_clip2_short", "vidtimit_fadg0_sx109"),
    *("vox2_Audio_Source__681100216", "vox2_Pose_Source__00473", "vox2_Pose_Source__796100172"),
)
"""15 clips of 13 people, none of them in any clip that is trained on.

They are every clip of the manifest marked ``eval`` with sync_corr >= 0.3, yaw <= 0.15 and at least 4 s, except Obama,
who is in the training clips: a rule over the manifest, not over results.
"""
