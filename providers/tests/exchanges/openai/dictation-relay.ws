# Another voice-relay: tests/golden/session.created.transcription.json and the events beside it.
< {"type":"session.created","event_id":"event_2","session":{"type":"transcription","object":"realtime.transcription_session","id":"sess_1","expires_at":1700003600,"include":null,"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"noise_reduction":null,"transcription":{"model":null,"language":null,"prompt":null},"turn_detection":{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":500}}}}}
> {"type":"session.update","session":{"type":"transcription","audio":{"input":{"transcription":{"model":"local/whisper-base","language":"en","prompt":"Quixal"},"turn_detection":null}}}}
< {"type":"session.updated","event_id":"event_3","session":{"type":"transcription","object":"realtime.transcription_session","id":"sess_1"}}
> {"type":"input_audio_buffer.append"}
< {"type":"conversation.item.input_audio_transcription.delta","event_id":"event_20","item_id":"item_1","content_index":0,"delta":"Go forward"}
* {"type":"input_audio_buffer.append"}
> {"type":"input_audio_buffer.commit"}
< {"type":"input_audio_buffer.committed","event_id":"event_21","previous_item_id":null,"item_id":"item_1"}
< {"type":"conversation.item.input_audio_transcription.delta","event_id":"event_22","item_id":"item_1","content_index":0,"delta":" ten meters."}
< {"type":"conversation.item.input_audio_transcription.completed","event_id":"event_23","item_id":"item_1","content_index":0,"transcript":"Go forward ten meters.","usage":{"type":"duration","seconds":1.0}}
> close
